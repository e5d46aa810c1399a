/** Code at a `codeURL` that was replaced under the same address (GR-31): the next run has the new code, and the hash of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type Engine } from '../../src/index.js'
import { scriptSource } from '../../src/workers/script/script-source.js'
import { gain } from '../../src/nodes/index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-code-'))
afterAll(() => { rmSync(folder, { recursive: true }) })
const packet = (data: string): string =>
  `{ media: { kind: 'json' }, data: ${data}, position: 0, duration: 1, streamId: '', seq: 0, arrivalUs: 0, metadata: {} }`
const base = {
  version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', thread: 'worker', params: {}, inputs: {},
  outputs: { out: { media: json() } },
} as const
const write = (path: string, value: number): void => {
  writeFileSync(path, `let calls = 0\nexport const process = async () => ({ out: ${packet(`[${value}, ++calls]`)} })`)
}

test.each([true, false])('given as %s path or address: new code, new hash; the old bytes are the old module again', async (asPath) => {
  const path = join(folder, `own-${asPath}.mjs`), codeURL = asPath ? path : pathToFileURL(path)
  write(path, 1)
  const node = defineNode({ ...base, type: 'test::own', codeURL } as never) as unknown as () => never
  await using engine = await createEngine({ workers: 1, arenaBytes: 2 ** 24 })
  const run = async (): Promise<readonly [unknown, string]> => {
    using result = await engine.run({ out: node() } as never)
    return [(result.outputs as Record<string, { data: unknown }>)['out']!.data, result.metrics.graphHash] as const
  }
  const [first, hash] = await run()
  expect([first, (await run())[0]]).toEqual([[1, 1], [1, 2]])
  write(path, 2)
  const [second, other] = await run()
  expect(second).toEqual([2, 1])
  expect(other).not.toBe(hash)
  write(path, 1)
  expect(await run()).toEqual([[1, 3], hash])
})

test('a source that starts before its plan is made has the new code too', async () => {
  const path = join(folder, 'source.mjs'), gives = (level: number): void => {
    writeFileSync(path, `export async function* pull(params, ctx) {
      const buffer = await ctx.allocAudio({ rate: 8000, channels: 1, frames: 100 })
      buffer.channel(0).fill(${level})
      yield { out: { media: { kind: 'audio', rate: 8000, channels: 1, format: 'f32', layout: 'planar' }, data: buffer, position: 0, duration: 100, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } }
    }`)
  }
  // Its media nobody knows before its first packet: it is started to be asked.
  const source = defineNode({
    ...base, type: 'test::source', codeURL: path, outputs: { out: { media: audio({ discovered: true }) } },
  } as never) as unknown as () => never
  await using engine: Engine = await createEngine({ workers: 1, arenaBytes: 2 ** 24 })
  const level = async (): Promise<number> => {
    using result = await engine.run({ out: gain(source()) } as never)
    return (result.outputs as unknown as { out: { data: { channel(n: number): Float32Array } } }).out.data.channel(0)[50]!
  }
  for (const value of [0.5, 0.25, 0.5]) { gives(value); expect(await level()).toBe(value) }
})

test('the mark is a fragment behind whatever the address has', () => {
  const url = (codeURL: string, mark?: string): unknown => (scriptSource({ codeURL } as never, true, mark) as { url: string }).url
  expect([url('https://a.b/c?d=1'), url('https://a.b/c?d=1', '00ff'), url('file:///x.mjs#part', '00ff')])
    .toEqual(['https://a.b/c?d=1', 'https://a.b/c?d=1#millrace=00ff', 'file:///x.mjs#part&millrace=00ff'])
})
