/**
 * What the hashes of a plan take from outside its graph (GR-54): bytes of files and of kernel modules, fingerprints; and that they
 * are `hashGraph`'s where nothing is outside.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, graphFrom, hashGraph, json, type CreateEngineOptions, type Engine, type Graph,
} from '../../src/index.js'
import { FileMarks } from '../../src/formats/source/file-marks.js'
import type { NodeDefinition } from '../../src/graph/node-definition.js'
import { shippedDigest } from '../../src/graph/module-digests.js'
import { hexOf, sha256 } from '../../src/graph/sha256.js'
import { BUILTIN_MODULES, builtinModuleBytes } from '../../src/kernels/builtin-modules.js'
import * as nodes from '../../src/nodes/index.js'
import { testWavHeader } from '../support/wav-of.js'

const { audioBuffer, gain, wavFile } = nodes
const base = {
  version: '1.0.0', title: 'Test', doc: 'A test\'s own.', family: 'test', inputs: {}, outputs: { out: { media: json() } },
} as const
const one = { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as const
const process = (): Promise<{ out: typeof one }> => Promise.resolve({ out: one })
let folder: string, engine: Engine

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-hashes-'))
  engine = await createEngine({ workers: 0 })
})
afterAll(async () => {
  await engine.close()
  rmSync(folder, { recursive: true })
})

const at = (name: string): string => join(folder, name)
/** Mono, 16 bits. */
function wav(samples: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(44 + 2 * samples, value)
  bytes.set(testWavHeader(8_000, 2 * samples))
  return bytes
}
const hashOf = async (graph: Graph, by = engine): Promise<string> => (await by.plan(graph)).graphHash
const single = (definition: Record<string, unknown>, params: object = {}): Graph =>
  graphFrom({ o: (defineNode({ ...base, params: {}, process, ...definition } as never) as never as (p: object) => never)(params) })

describe('bytes of files', () => {
  test('another byte is another hash, in plans and runs, though size and date are as before; the old bytes are the old hash', async () => {
    const path = at('a.wav'), graph = graphFrom({ o: wavFile(path) })
    writeFileSync(path, wav(100, 1))
    const { atime, mtime } = statSync(path), first = await hashOf(graph)
    expect(await hashOf(graph)).toBe(first)
    writeFileSync(path, wav(100, 2))
    utimesSync(path, atime, mtime)
    const second = await hashOf(graph)
    expect(second).not.toBe(first)
    using run = await engine.run(graph)
    expect(run.metrics.graphHash).toBe(second)
    writeFileSync(path, wav(100, 1))
    expect(await hashOf(graph)).toBe(first)
  })

  test('the record is that of `hashGraph` with the file\'s SHA-256; an address and a list of files count too, a file that a node writes does not', async () => {
    const path = at('b.bin'), digest = sha256(Uint8Array.of(1, 2, 3)), file = { type: 'file', doc: '' }
    writeFileSync(path, Uint8Array.of(1, 2, 3))
    const named = (param: string, graph: Graph): string =>
      hashGraph(graph, { referenced: (_node, name) => name === param ? digest : undefined }).graph
    const by = single({ type: 'test::by', params: { model: file } }, { model: path })
    const url = single({ type: 'test::by', params: { model: file } }, { model: pathToFileURL(path) })
    expect(await hashOf(by)).toBe(named('model', by))
    expect(await hashOf(url)).toBe(named('model', url))
    const list = single({ type: 'test::list', params: { files: { type: 'array', items: file, doc: '' } } }, { files: [at('none'), path] })
    const preset = single({ type: 'test::preset', params: { model: { ...file, default: path } } })
    expect(await hashOf(list)).toBe(named('files[1]', list))
    expect(named('files[1]', list)).not.toBe(hashGraph(list).graph)
    expect(await hashOf(preset)).toBe(named('model', preset))
    const writer = single({ type: 'test::writer', params: { model: file }, effects: 'write' }, { model: path })
    expect(await hashOf(writer)).toBe(hashGraph(writer).graph)
  })

  test('no file, a folder: no record; who opens it says so', async () => {
    for (const path of [at('none'), folder]) {
      const graph = single({ type: 'test::by', params: { model: { type: 'file', doc: '' } } }, { model: path })
      expect(await hashOf(graph)).toBe(hashGraph(graph).graph)
    }
  })

  test('large files are told by size, place and times, `hashFileBytes` says from where; what was written just now equals nothing', async () => {
    const path = at('large.wav'), graph = graphFrom({ o: wavFile(path) })
    writeFileSync(path, wav(2_000, 1))
    await using small = await createEngine({ workers: 0, hashFileBytes: 1_000 })
    await using all = await createEngine({ workers: 0, hashFileBytes: Infinity })
    expect(await hashOf(graph, all)).toBe(await hashOf(graph))
    await vi.waitFor(async () => { expect(await hashOf(graph, small)).toBe(await hashOf(graph, small)) }, { timeout: 5_000 })
    const before = await hashOf(graph, small)
    expect(before).not.toBe(await hashOf(graph))
    truncateSync(path, 3_000)
    expect(await hashOf(graph, small)).not.toBe(before)
    await expect(createEngine({ hashFileBytes: -1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('a file is read once while it stays as it is, in pieces; one that was written within a tick of its times is read again', async () => {
    const path = at('c.bin'), signal = new AbortController().signal, bytes = Uint8Array.from({ length: 700_000 }, (_, i) => i * 7)
    writeFileSync(path, bytes)
    const later = new FileMarks(1_000_000, () => Date.now() + 60_000), now = new FileMarks(1_000_000, () => statSync(path).ctimeMs)
    const opens = vi.spyOn(globalThis.process.getBuiltinModule('node:fs').promises, 'open')
    for (const marks of [later, later, later]) {
      expect(hexOf((await marks.of(path, signal) as { digest: Uint8Array }).digest)).toBe(hexOf(sha256(bytes)))
    }
    expect(opens).toHaveBeenCalledTimes(1)
    for (const marks of [now, now]) {
      expect(hexOf((await marks.of(pathToFileURL(path).href, signal) as { digest: Uint8Array }).digest)).toBe(hexOf(sha256(bytes)))
    }
    expect(opens).toHaveBeenCalledTimes(3)
    opens.mockRestore()
    expect(await new FileMarks(10, () => statSync(path).ctimeMs).of(path, signal)).toEqual({ facts: null })
    await expect(now.of(path, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(await now.of('https://example.org/a.wav', signal)).toBeUndefined()
  })

  test('a file on a server is told by its etag or date; without either it equals nothing', async () => {
    let headers: Record<string, string> = {}
    const server = createServer((request, response) => {
      const body = wav(100, 1)
      const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
      const part = body.subarray(Number(from), to === '' ? body.length : Number(to) + 1)
      response.writeHead(206, {
        ...headers,
        'content-range': `bytes ${from}-${Number(from) + part.length - 1}/${body.length}`,
        'content-length': String(part.length),
      }).end(part)
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    const graph = graphFrom({ o: wavFile(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.wav`) }), hashes: string[] = []
    for (const one of [{ etag: '"1"' }, { etag: '"1"' }, { etag: '"2"' }, { 'last-modified': 'Sat, 01 Nov 2025 00:00:00 GMT' }, {}, {}]) {
      headers = one as never
      hashes.push(await hashOf(graph))
    }
    await new Promise((resolve) => { server.close(resolve); server.closeAllConnections() })
    expect(hashes[1]).toBe(hashes[0])
    expect(new Set(hashes).size).toBe(5)
  })
})

describe('bytes of modules', () => {
  const mine = defineNode({
    ...gain.definition, type: 'mine::gain', aliases: [],
    kernel: { ...(gain.definition as NodeDefinition).kernel!, module: 'mine' },
  } as never) as unknown as typeof gain
  const graph = graphFrom({ o: mine(audioBuffer({ data: [new Float32Array([1, 1])], rate: 16_000 }), { gainDb: -6 }) })
  const planned = async (options: CreateEngineOptions): Promise<string> => {
    await using own = await createEngine({ workers: 0, ...options })
    return await hashOf(graph, own)
  }

  test('two modules that differ in a custom section only are two hashes; shared or private memory, and the tier, are no matter', async () => {
    const bytes = await builtinModuleBytes('level'), other = Uint8Array.of(...bytes, 0, 4, 1, 0x78, 1, 2)
    const hash = await planned({ kernels: { mine: bytes } })
    expect(await planned({ kernels: { mine: other } })).not.toBe(hash)
    expect(await planned({ kernels: { mine: bytes.slice() }, shared: false })).toBe(hash)
    expect(await planned({ kernels: { mine: Promise.resolve(bytes.slice()) }, tier: 'js' })).toBe(hash)
    expect(await planned({ kernels: { mine: other }, tier: 'js' })).not.toBe(hash)
    // Nobody can read the bytes of a compiled module: it is the same one, or another.
    const module = await WebAssembly.compile(bytes)
    const compiled = await planned({ kernels: { mine: module } })
    expect(await planned({ kernels: { mine: module } })).toBe(compiled)
    expect(new Set([hash, compiled, await planned({ kernels: { mine: await WebAssembly.compile(bytes) } })]).size).toBe(3)
  })

  test('modules that ship are known without being loaded, and one given in their place is told from them', async () => {
    for (const name of BUILTIN_MODULES) expect(hexOf(shippedDigest(name)!), name).toBe(hexOf(sha256(await builtinModuleBytes(name))))
    expect(shippedDigest('mine')).toBeUndefined()
    const level = await builtinModuleBytes('level')
    const graph = graphFrom({ o: gain(audioBuffer({ data: [new Float32Array([1, 1])], rate: 16_000 }), { gainDb: -6 }) })
    await using same = await createEngine({ workers: 0, wasm: { level } })
    await using other = await createEngine({ workers: 0, wasm: { level: Uint8Array.of(...level, 0, 4, 1, 0x78, 1, 2) } })
    expect(await hashOf(graph, same)).toBe(await hashOf(graph))
    expect(await hashOf(graph, same)).toBe(hashGraph(graph).graph)
    expect(await hashOf(graph, other)).not.toBe(await hashOf(graph))
  })

  test('the file at `codeURL`', async () => {
    const path = at('code.mjs')
    const graph = single({ type: 'test::code', process: undefined, thread: 'worker', codeURL: pathToFileURL(path).href })
    const write = (n: number): void => { writeFileSync(path, `export const process = async () => (${n})`) }
    await using threads = await createEngine({ workers: 1 })
    write(1)
    const before = await hashOf(graph, threads)
    expect(await hashOf(graph, threads)).toBe(before)
    write(2)
    expect(await hashOf(graph, threads)).not.toBe(before)
  })
})

describe('fingerprints', () => {
  const marked = (fingerprint: unknown): Graph => single({ type: 'test::marked', fingerprint })

  test('are awaited; null equals nothing', async () => {
    const hash = await hashOf(marked(() => Uint8Array.of(1)))
    expect(await hashOf(marked(async () => Uint8Array.of(1)))).toBe(hash)
    expect(hashGraph(marked(() => Uint8Array.of(1))).graph).toBe(hash)
    expect(await hashOf(marked(async () => Uint8Array.of(2)))).not.toBe(hash)
    const never = marked(async () => null)
    expect(await hashOf(never)).not.toBe(await hashOf(never))
    using run = await engine.run(marked(async () => Uint8Array.of(1)))
    expect(run.metrics.graphHash).toBe(hash)
  })

  test('that fail are NODE_FAILED with node, operation and hint, in plans and runs', async () => {
    const wrong = [
      () => 'abc', async () => 'abc', () => undefined, () => { throw new Error('boom') }, () => Promise.reject(new TypeError('boom')),
      () => { throw 'boom' },
    ] // oxlint-disable-line no-throw-literal
    for (const one of wrong) for (const call of ['plan', 'run'] as const) {
      const error = await engine[call](marked(one)).then(() => undefined, (found: unknown) => found)
      expect(error, String(one)).toMatchObject({
        code: 'NODE_FAILED', nodeId: 'marked-1', nodeType: 'test::marked', operation: 'fingerprint',
        hint: expect.stringContaining('Uint8Array'),
      })
    }
    expect(() => hashGraph(marked(() => 'abc'))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', nodeId: 'marked-1' }))
  })

  test('that never come do not outlive a cancel', async () => {
    const abort = new AbortController(), hung = marked(() => { abort.abort(); return new Promise(() => undefined) })
    await expect(engine.plan(hung, { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
    const again = new AbortController()
    const running = engine.run(marked(() => { again.abort(); return new Promise(() => undefined) }), { signal: again.signal })
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

describe('the seed', () => {
  const noise = defineNode({ ...base, type: 'test::noise', params: {}, deterministic: 'seeded', process })
  test('of a document is in `hashGraph`, which is then what a plan has', async () => {
    const registry = createRegistry(noise as never)
    const document = (config: object): Graph =>
      fromDocument({ millrace: 1, nodes: [{ id: 'a', type: 'test::noise' }], outputs: { o: ['a', 'out'] }, config } as never, registry)
    await using own = await createEngine({ workers: 0, registry })
    const hashes: string[] = []
    for (const config of [{}, { seed: 1 }, { seed: '18446744073709551615' }]) {
      const graph = document(config)
      hashes.push(await hashOf(graph, own))
      expect(hashGraph(graph).graph).toBe(hashes.at(-1))
      expect(hashGraph(document({}), { seed: BigInt((config as { seed?: string }).seed ?? 0) }).graph).toBe(hashes.at(-1))
    }
    expect(new Set(hashes).size).toBe(3)
    expect((await own.plan(document({ seed: 1 }), { seed: 2 })).graphHash).toBe(hashGraph(document({}), { seed: 2n }).graph)
  })
})

test('a source that a run has started already hashes as in its plan, and another code as another', async () => {
  const source = (data: number): Graph => single({
    type: 'test::open', process: undefined, outputs: { out: { media: { ...json(), discovered: true } } },
    ...(data === 1 ? { async *pull() { yield { out: one } } } : { async *pull() { yield { out: one }; await Promise.resolve() } }),
  })
  using first = await engine.run(source(1))
  using second = await engine.run(source(2))
  expect(first.metrics.graphHash).toBe(await hashOf(source(1)))
  expect(second.metrics.graphHash).not.toBe(first.metrics.graphHash)
})

test('a thousand nodes, each with a file: one read each, and none for the next plan', async () => {
  const path = at('d.bin')
  writeFileSync(path, readFileSync(new URL(import.meta.url)))
  await using own = await createEngine({ workers: 0, limits: { nodes: 2_000 } })
  const type = defineNode({ ...base, type: 'test::many', params: { model: { type: 'file', doc: '' } }, process })
  const graph = graphFrom(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`o${n}`, type({ model: path })])))
  const opens = vi.spyOn(globalThis.process.getBuiltinModule('node:fs').promises, 'open')
  await vi.waitFor(async () => { opens.mockClear(); await hashOf(graph, own); expect(opens).not.toHaveBeenCalled() }, { timeout: 5_000 })
  opens.mockRestore()
})

test.each(['file://host:80/a.wav', 'file://[x'])('an address that is none is refused by what opens it, with a code: %s', async (path) => {
  expect((await engine.plan({ out: gain(wavFile({ path })) })).diagnostics.map(({ message }) => message).join()).toContain('Invalid URL')
  await expect(engine.run({ out: gain(wavFile({ path })) })).rejects
    .toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) as string, nodeType: 'io::wav-file' })
  expect(await new FileMarks(1_024, () => 0).of(path, new AbortController().signal)).toBeUndefined()
})
