import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { runCli } from '../../src/cli/cli.js'

/** The shipped recording. */
export const TALK = fileURLToPath(new URL('../../examples/talk.wav', import.meta.url))
/** The shipped document. */
export const SPEECH = fileURLToPath(new URL('../../examples/speech.json', import.meta.url))

/** What a call of the tool left behind. */
export interface Transcript { readonly code: number; readonly out: string; readonly err: string }

/** Circumstances of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal
  readonly interactive?: boolean
  readonly columns?: number
  readonly stdin?: string
  readonly onErr?: (text: string) => void
}

/** Runs the tool in this process. */
export async function call(words: readonly string[], o: CallOptions = {}): Promise<Transcript> {
  let out = '', err = ''
  const code = await runCli(words, {
    out: (text) => { out += `${text}\n` },
    err: (text) => { err += text.startsWith('\r') ? text : `${text}\n`; o.onErr?.(text) },
    interactive: o.interactive ?? false, columns: o.columns ?? 80,
    stdin: async function* () { yield new TextEncoder().encode(o.stdin ?? '') },
  }, o.signal ?? new AbortController().signal, '1.2.3')
  return { code, out, err }
}

/** Text without what differs from run to run: times, run ids, hashes and folders. */
export function steady(text: string): string {
  return text.replaceAll(/\d+(\.\d+)? (ms|µs)/g, '# $2')
    .replaceAll(/plan [0-9a-f]{12}/g, 'plan #').replaceAll(new RegExp(tmpdir() + '/[^/ ]*', 'g'), '/tmp').replaceAll(TALK, 'talk.wav')
}

/** A folder of the test file's own, gone at its end. */
export function folder(): { readonly path: string; file(name: string, content: unknown): string; json(name: string): never } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  afterAll(() => { rmSync(path, { recursive: true, force: true }) })
  return {
    path,
    file: (
      name, content,
    ) => { const at = join(path, name); writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content)); return at },
    json: (name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as never,
  }
}

/** A document with a gain between a file and its output. */
export const GAIN = {
  millrace: 1, inputs: { file: { to: [['read', 'path']] }, gainDb: { to: [['gain', 'gainDb']], default: 0 } },
  nodes: [{ id: 'read', type: 'io::wav-file' }, { id: 'gain', type: 'audio::gain' }],
  edges: [{ from: ['read', 'out'], to: ['gain', 'in'] }], outputs: { out: ['gain', 'out'] },
}
