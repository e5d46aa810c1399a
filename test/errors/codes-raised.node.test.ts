/**
 * EX-63: every code of the tables is raised by a real path. `raised` holds the ways that need more than one line elsewhere; every other
 * code names the test files that raise it, found by their assertions. A code that nothing in src raises, or no test, fails here.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { listFiles } from '../../scripts/lib/hash.mjs'
import { commonErrors } from '../../src/errors/common-errors.js'
import { decodeError, encodeError } from '../../src/errors/codec.js'
import { ERROR_CODES } from '../../src/errors/error-codes.js'
import { MillraceError } from '../../src/errors/millrace-error.js'
import { audio, createEngine, defineNode, json, type Engine, type PacketStream } from '../../src/index.js'
import { audioBuffer, gain, toPcm16 } from '../../src/nodes/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const texts = (folder: string, keep: (path: string) => boolean): Map<string, string> =>
  new Map(listFiles(join(root, folder), keep).map((path) => [path, readFileSync(join(root, folder, path), 'utf8')]))
const sources = texts('src', (path) => path.endsWith('.ts') && !/(^|\/)(errors|common-errors|error-codes)\.ts$/.test(path))
// Tests of the tables themselves prove nothing about their use.
const tests = texts('test', (path) => path.endsWith('.ts') && (!path.startsWith('errors/') || path.endsWith('codes-raised.node.test.ts')))
const codes = Object.keys(ERROR_CODES)

const tone = (frames: number): ReturnType<typeof audioBuffer> => audioBuffer({ data: [new Float32Array(frames)], rate: 16_000 })
const withEngine = async <T>(work: (engine: Engine) => Promise<T>, arenaBytes = 16 * 1_048_576): Promise<T> => {
  await using engine = await createEngine({ workers: 0, arenaBytes })
  return await work(engine)
}

describe('ways that no other test goes', () => {
  test('DEPENDENCY_FAILED is what a node sees at an input whose writer failed, with the failure as its cause', async () => {
    let seen: unknown
    const bad = defineNode({ type: 'test::bad', version: '1.0.0', title: 'Bad', doc: 'Fails.', family: 'test', params: {},
      inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
      // After a first packet: a node whose writer has failed before is not called at all.
      async *process() {
        yield {
          out: { media: { kind: 'json' as const }, data: [1], position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
        }
        await new Promise((resolve) => { setTimeout(resolve, 20) })
        throw new Error('no luck')
      } }) as never as (input: unknown) => never
    const after = defineNode({
      type: 'test::after', version: '1.0.0', title: 'After', doc: 'Reads.', family: 'test', params: {}, inputs: { in: { media: json() } },
      outputs: { out: { media: json() } },
      process: async (inputs) => {
        try { return { out: await (inputs['in'] as PacketStream).whole() } } catch (error) { seen = error; throw error }
      },
    }) as never as (input: unknown) => never
    await withEngine(async (engine) => {
      using result = await engine.run({ out: after(bad(tone(10))), pcm: toPcm16(tone(10)) } as never, { onError: 'continue' })
      expect(result).toMatchObject({ status: 'partialfailure', error: { code: 'NODE_FAILED', nodeId: 'bad-1' } })
    })
    expect(seen).toMatchObject({
      code: 'DEPENDENCY_FAILED', message: 'Node after-1: input bad-1.out failed at bad-1.', cause: { code: 'NODE_FAILED', nodeId: 'bad-1' },
    })
  })

  test('OUTPUT_NOT_FOUND names the outputs that there are', () => withEngine(async (engine) => {
    await expect(engine.run({ out: gain(tone(10)) }, { outputs: ['loud'] })).rejects
      .toMatchObject({ code: 'OUTPUT_NOT_FOUND', message: 'Run: no output loud; has out.' })
  }))

  test('MEMORY_TIGHT is a warning of a run that nearly fills the arena', () => withEngine(async (engine) => {
    // What must be there is above all the output: f32, mono.
    const { capacityBytes, usedBytes } = engine.stats().arena, frames = Math.floor(0.9 * (capacityBytes - usedBytes) / 4)
    using result = await engine.run({ out: gain(tone(frames)) })
    expect(result.diagnostics).toContainEqual(expect.objectContaining({ code: 'MEMORY_TIGHT', severity: 'warning' }))
  }, 2 ** 26))
})

test.each(codes)('%s is raised somewhere in src, and by a test', (code) => {
  const raise = new RegExp(`\\b\\w*[eE]rrors\\.${code}(\\(|\\.diagnostic\\()|\\['?${code}'?\\]|'${code}'`)
  expect([...sources].filter(([, text]) => raise.test(text)).map(([path]) => path)).not.toEqual([])
  const asserted =
    new RegExp(`['"\`]${code}['"\`]|\\b${code}\\b.*(toMatch|toThrow|toBe|toEqual)|(toMatch|toThrow|toBe|toEqual|expect).*\\b${code}\\b`)
  expect([...tests].filter(([, text]) => asserted.test(text)).map(([path]) => path)).not.toEqual([])
})

test.each(codes)('%s crosses a thread unchanged, and is documented', (code) => {
  const [kind, httpStatus] = ERROR_CODES[code]!
  const error = new MillraceError('Thing: expected x, got y.', {
    code, kind, httpStatus, hint: 'Do z.', retryable: true, nodeId: 'a', nodeType: 'b::c', operation: 'process',
    details: { n: 1, list: ['x'] }, cause: commonErrors.INTERNAL({ what: 'Inner.' }),
  })
  const back = decodeError(structuredClone(encodeError(error)))
  expect(back).toMatchObject({
    code, kind, httpStatus, message: error.message, hint: 'Do z.', retryable: true, nodeId: 'a', nodeType: 'b::c', operation: 'process',
    details: { n: 1, list: ['x'] }, cause: { code: 'INTERNAL' },
  })
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toContain(`<a id="${code}"></a>`)
})
