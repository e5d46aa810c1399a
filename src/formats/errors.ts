import { defineErrors } from '../errors/define-errors.js'
import { showList } from '../errors/show.js'

/** What reading and writing media files can raise (spec audio.md, end). `PEER_MISSING` and `LIMIT_EXCEEDED` stand in the common table. */
export const formatErrors = /* @__PURE__ */ defineErrors({
  FILE_INVALID: {
    kind: 'validation', httpStatus: 400,
    message: (
      d: { readonly file: string; readonly expected: string; readonly offset: number; readonly got: string; readonly hint?: string },
    ) =>
      `File ${d.file}: expected ${d.expected} at byte ${d.offset}, got ${d.got}.`,
    hint: (d) => d.hint ?? 'Is this the right file, and is it complete?',
  },
  CODEC_UNSUPPORTED: {
    kind: 'validation', httpStatus: 415,
    message: (d: { readonly file: string; readonly codec: string; readonly available: readonly string[] }) =>
      `File ${d.file}: codec ${d.codec} is not supported; available: ${showList(d.available)}.`,
    hint: () => 'Convert the file to one of them.',
  },
  FILE_TRUNCATED: {
    kind: 'validation', httpStatus: 200, severity: 'warning',
    message: (d: { readonly file: string; readonly expected: number; readonly got: number }) =>
      `File ${d.file}: expected ${d.expected} bytes of data, got ${d.got}.`,
    hint: () => 'Whole frames that are there were read.',
  },
})
