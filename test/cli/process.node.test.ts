/** The tool as a process of its own: streams, signals, exit codes. Bundled here from its sources, so that it needs no current dist. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { distIsCurrent } from '../../scripts/lib/fresh.mjs'
import { inlineEsbuild } from '../../scripts/inline.mjs'
import { testWavHeader } from '../support/wav-of.js'
import { folder, SPEECH, TALK } from './support.js'

const files = folder()
let tool: string

beforeAll(async () => {
  await build({
    entryPoints: { cli: 'src/cli/main.ts' }, outdir: files.path, outExtension: { '.js': '.mjs' }, bundle: true, splitting: true,
    format: 'esm', platform: 'neutral', external: ['node:*'], target: 'es2022', mainFields: ['module', 'main'],
    define: { MILLRACE_VERSION: '"9.9.9"' }, loader: { '.wasm': 'binary' }, plugins: [inlineEsbuild()], logLevel: 'error',
  })
  tool = join(files.path, 'cli.mjs')
}, 120_000)

interface Ended { readonly code: number | null; readonly out: string; readonly err: string }

/** Starts the tool and waits for its end. `heard`: called with what it has written to stderr so far. */
function start(
  words: readonly string[],
  o: {
    readonly script?: string
    readonly stdin?: string | Uint8Array
    readonly heard?: (err: string, child: ReturnType<typeof spawn>) => void
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [o.script ?? tool, ...words], { stdio: 'pipe' })
    let out = '', err = ''
    child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString(); o.heard?.(err, child) })
    child.on('error', reject)
    child.on('close', (code) => { resolve({ code, out, err }) })
    child.stdin.end(o.stdin ?? '')
  })
}

test('version, usage and diagnostics with their exit codes', async () => {
  const [version, usage, broken] = await Promise.all([start(['--version']), start(['run']), start(['run', '-'], { stdin: '{' })])
  expect(version).toEqual({ code: 0, out: '9.9.9\n', err: '' })
  expect([usage.code, broken.code]).toEqual([2, 3])
  expect(broken.err).toMatch(/^error JSON_SYNTAX/)
})

test('a document from a pipe; plain lines of progress; the process ends by itself with workers', async () => {
  const { code, out, err } = await start(['run', '-', '-i', `file=${TALK}`, '--workers', '2'], { stdin: readFileSync(SPEECH) })
  expect(code).toBe(0)
  expect(out).toContain('segments: 3 events')
  expect(err).toMatch(/^(progress \d+ %\n)+$/)
})

/** A WAV file of silence: its header alone is real, the rest is a hole in the file. */
async function silence(seconds: number): Promise<string> {
  const long = join(files.path, `long-${seconds}.wav`), frames = seconds * 48_000
  writeFileSync(long, testWavHeader(48_000, frames * 2))
  const { truncate } = await import('node:fs/promises')
  await truncate(long, 44 + frames * 2)
  return long
}

test('SIGINT in mid-run: 130, and the half-written file is gone', async () => {
  const long = await silence(2 * 3_600)
  let sent = false
  const { code, out, err } = await start(['run', SPEECH, '-i', `file=${long}`, '-o', `pcm=${join(files.path, 'cut.wav')}`], {
    heard: (text, child) => { if (!sent && text.includes('progress')) { sent = true; child.kill('SIGINT') } },
  })
  expect([code, err.split('\n').at(-2)]).toEqual([130, 'millrace: interrupted.'])
  expect(out).not.toContain('written to')
}, 60_000)

test('SIGTERM in mid-run: the command ends its work first (MW-51)', async () => {
  const long = await silence(1_200)
  let sent = false
  const { code, out } = await start(['run', SPEECH, '-i', `file=${long}`], {
    heard: (text, child) => { if (!sent && text.includes('progress')) { sent = true; child.kill('SIGTERM') } },
  })
  expect([sent, code]).toEqual([true, 0])
  expect(out).toContain('segments: 0 events')
}, 60_000)

test('SIGINT while standard input is open: 130 and the end of the process', async () => {
  const ended = await new Promise<Ended>((resolve, reject) => {
    const child = spawn(process.execPath, [tool, 'run', '-'], { stdio: 'pipe' })
    let err = ''
    child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
    child.on('error', reject)
    child.on('close', (code) => { resolve({ code, out: '', err }) })
    // More than a pipe holds: when all of it is taken, the tool is reading. Its end never comes.
    child.stdin.on('error', () => undefined)
    child.stdin.write(' '.repeat(4_000_000), () => { child.kill('SIGINT') })
  })
  expect(ended).toEqual({ code: 130, out: '', err: 'millrace: interrupted.\n' })
}, 20_000)

test('a reader that goes away early ends the tool quietly', async () => {
  const ended = await new Promise<Ended>((resolve) => {
    const child = spawn(process.execPath, [tool, 'nodes', 'audio::resample', '--json'], { stdio: 'pipe' })
    let err = ''
    child.stdout.destroy()
    child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
    child.on('close', (code) => { resolve({ code, out: '', err }) })
  })
  expect(ended).toMatchObject({ code: 0, err: '' })
})

test('the run goes on when nobody reads what it says, and its code is told', async () => {
  const wav = join(files.path, 'unread.wav')
  const unread = (words: readonly string[]): Promise<number | null> => new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool, ...words], { stdio: 'pipe' })
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
    child.on('error', reject)
    child.on('close', resolve)
  })
  expect(await unread(['run', SPEECH, '-i', `file=${TALK}`, '-o', `pcm=${wav}`])).toBe(0)
  const heard = join(files.path, 'heard.wav')
  expect((await start(['run', SPEECH, '-i', `file=${TALK}`, '-o', `pcm=${heard}`])).code).toBe(0)
  expect(readFileSync(wav).equals(readFileSync(heard))).toBe(true)
  expect(await unread(['run', SPEECH, '-i', `file=${files.path}/none.wav`])).toBe(1)
})

/** A script of bash with the tool in it. */
function shell(script: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', script], { env: { ...process.env, NODE: process.execPath, TOOL: tool, SPEECH, TALK } }, (error, out, err) => {
      if (error !== null && typeof error.code !== 'number') reject(error)
      else resolve({ code: error === null ? 0 : error.code as number, out, err })
    })
  })
}

test.skipIf(!existsSync('/dev/full'))('text that could not be written to a full disk is a failure', async () => {
  expect(await shell('"$NODE" "$TOOL" --version > /dev/full')).toEqual({ code: 1, out: '', err: '' })
})

test('a document in a pipe of the file system, and one that is too long', async () => {
  const call = '"$NODE" "$TOOL" run -q -i "file=$TALK"'
  const ended = await Promise.all([
    shell(`${call} <(cat "$SPEECH")`), shell(`cat "$SPEECH" | ${call} /dev/stdin`), shell(`cat "$SPEECH" | ${call} -`),
  ])
  for (const one of ended) expect(one).toEqual({ code: 0, out: expect.stringContaining('segments: 3 events') as string, err: '' })
  // `yes` never ends by itself.
  for (const one of await Promise.all([shell(`${call} <(yes)`), shell(`yes | ${call} -`)])) {
    expect([one.code, one.err]).toEqual([3, expect.stringMatching(/^error LIMIT_EXCEEDED: Document bytes: limit/)])
  }
}, 30_000)

test.skipIf(!distIsCurrent())('dist/cli.js says the same', async () => {
  const words = ['run', SPEECH, '-i', `file=${TALK}`, '-q', '--workers', '0'], built = await start(words, { script: 'dist/cli.js' })
  expect(built).toEqual(await start(words))
  expect(built.code).toBe(0)
})
