import { defineErrors } from '../../errors/define-errors.js'
import { graphErrors } from '../errors.js'

/** What reading and writing other formats can find. */
export const dialectErrors = {
  ...defineErrors({
    IMPORT_UNSUPPORTED: {
      kind: 'validation', httpStatus: 400,
      message: (d: { readonly dialects: readonly string[]; readonly why: readonly string[] }) =>
        `Import: none of ${d.dialects.join(', ')} fits, because ${d.why.join('; ')}.`,
      hint: (d) => d.why.length > 1 ? 'Name the dialect.' : 'Is this the right file?',
    },
    IMPORT_NOTE: {
      kind: 'validation', httpStatus: 200, severity: 'warning',
      message: (d: { readonly pointer: string; readonly what: string }) => `${d.pointer === '' ? 'Document' : d.pointer}: ${d.what}.`,
      hint: () => 'Check the result.',
    },
  }),
  DUPLICATE_ID: graphErrors.DUPLICATE_ID,
}
