import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { beforeAll, describe, expect, test } from 'vitest'
import { defineNode } from '../../src/graph/define-node.js'
import type { Reference } from '../../src/graph/reference.js'
import { audio } from '../../src/media/media-type.js'
import * as approx from '../../src/kernels/approx.js'
import { compileModules } from '../../src/kernels/compile.js'
import { STATUS } from '../../src/kernels/contract.js'
import { philox, uniform, uniformAt } from '../../src/kernels/philox.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { createArena } from '../../src/memory/arena.js'
import { KernelRig, expectSame, randomNumbers } from '../support/kernel-rig.js'
import { conformance } from '../../src/testing/index.js'

const assembly = fileURLToPath(new URL('../../assembly/', import.meta.url))
/** First slot for users' modules. */
const USER_SLOT = 0x90000

/** Compiles a source as if it stood in assembly/kernels. */
async function compile(name: string, source: string): Promise<Uint8Array<ArrayBuffer>> {
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main([
    `kernels/${name}.ts`, '--config', 'asconfig.json', '--target', 'release', '--baseDir', assembly, '--memoryBase', String(USER_SLOT),
    '--outFile', 'out.wasm',
  ], {
    readFile: (file, base) => file === `kernels/${name}.ts` ? source : readOrNull(join(base, file)),
    writeFile: (file, contents) => { if (file === 'out.wasm' && typeof contents !== 'string') binary = contents },
    listFiles: () => [],
  })
  if (error || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`)
  return Uint8Array.from(binary)
}
function readOrNull(path: string): string | null {
  try { return readFileSync(path, 'utf8') } catch { return null }
}

const PROBE = `
import { control, cos, cosPi, exp, philox, randomBlock, sin, sinPi, steady, uniform } from '../sdk'
export { millrace_abi, millrace_layout } from '../sdk'
export function controlAt(io: usize, frame: u32): f32 { return control(io, 0, frame) }
export function isSteady(io: usize, first: u32, last: u32): bool { return steady(io, 0, first, last) }
export function words(out: usize, c0: u32, c1: u32, c2: u32, c3: u32, k0: u32, k1: u32): void { philox(out, c0, c1, c2, c3, k0, k1) }
export function blockOf(out: usize, seed: u64, block: u64, channel: u32, stream: u32): void { randomBlock(out, seed, block, channel, stream) }
export function asUniform(word: u32): f32 { return uniform(word) }
export function maths(which: u32, x: f64): f64 { return which == 0 ? sin(x) : which == 1 ? cos(x) : which == 2 ? sinPi(x) : which == 3 ? cosPi(x) : exp(x) }`

interface Probe {
  controlAt(io: number, frame: number): number
  isSteady(io: number, first: number, last: number): number
  words(out: number, ...words: number[]): void
  blockOf(out: number, seed: bigint, block: bigint, channel: number, stream: number): void
  asUniform(word: number): number
  maths(which: number, x: number): number
}

describe('SDK functions', () => {
  let probe: Probe, memory: WebAssembly.Memory, u32: Uint32Array
  const OUT = 0x200000
  beforeAll(async () => {
    memory = new WebAssembly.Memory({ initial: 64, maximum: 65_536, shared: true })
    u32 = new Uint32Array(memory.buffer)
    probe = (await WebAssembly.instantiate(await compile('probe', PROBE), { env: { memory } })).instance.exports as unknown as Probe
  }, 30_000)
  const four = (): number[] => [...u32.subarray(OUT / 4, OUT / 4 + 4)]

  test('Philox4x32-10: the three published vectors (Random123, kat_vectors), in both languages', () => {
    const vectors = [
      [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
      [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
      [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]],
    ] as const
    for (const [counter, key, words] of vectors) {
      probe.words(OUT, ...counter, ...key)
      expect(four()).toEqual(words)
      expect(philox(counter, key)).toEqual(words)
    }
  })
  test('sample n: word n mod 4 of block ⌊n/4⌋; seeking equals running', () => {
    for (const [n, seed] of [[0, 0n], [7, 0x123456789abcdef0n], [2 ** 40 + 3, 42n]] as const) {
      probe.blockOf(OUT, seed, BigInt(Math.floor(n / 4)), 3, 5)
      expect(probe.asUniform(four()[n % 4]!)).toBe(uniformAt(seed, n, 3, 5))
    }
    expect([uniform(0), uniform(0xffffffff)]).toEqual([0, 1 - 2 ** -24])
  })
  test('maths: equal bits to TypeScript, and right', () => {
    const next = randomNumbers(1)
    const exact = [Math.sin, Math.cos, (x: number) => Math.sin(Math.PI * x), (x: number) => Math.cos(Math.PI * x), Math.exp]
    const mine = [approx.sin, approx.cos, approx.sinPi, approx.cosPi, approx.exp]
    for (let n = 0; n < 20_000; n++) {
      const x = (next() * 2 - 1) * [1, 10, 600][n % 3]!
      for (let which = 0; which < 5; which++) {
        const got = probe.maths(which, x)
        if (!Object.is(got, mine[which]!(x))) throw new Error(`${which}(${x}): ${got} and ${mine[which]!(x)}`)
        if (which !== 2 && which !== 3 || Math.abs(x) < 1) {
          expect(Math.abs(got - exact[which]!(x))).toBeLessThan(1e-12 * Math.max(1, Math.abs(got)))
        }
      }
    }
    expect([approx.sinPi(1), approx.sinPi(-7), approx.cosPi(0.5), approx.cosPi(2.5), approx.exp(0)].map((x) => x + 0))
      .toEqual([0, 0, 0, 0, 1])
  })
  test('control: constants, ramps from every begin, streams; steady says when one value holds', () => {
    const io = 0x100000, at = 0x100100, f32 = new Float32Array(memory.buffer), i32 = new Int32Array(memory.buffer)
    u32[(io + 0x1c) / 4] = at
    const set = (from: number, to: number, begin: number, length: number, stream = 0): void => {
      f32[at / 4] = from; f32[at / 4 + 1] = to; i32[at / 4 + 2] = begin; u32[at / 4 + 3] = length; u32[at / 4 + 4] = stream
    }
    set(0, 1, 0, 0)
    expect([probe.controlAt(io, 0), probe.isSteady(io, 0, 99)]).toEqual([1, 1])
    for (let begin = -300; begin <= 300; begin += 7) {
      set(0.25, 2, begin, 100)
      for (let frame = 0; frame < 200; frame += 3) {
        const t = frame - begin
        expect(probe.controlAt(io, frame)).toBe(t <= 0 ? 0.25 : t >= 100 ? 2 : Math.fround(0.25 + (2 - 0.25) * (t / 100)))
      }
      expect(probe.isSteady(io, 0, 49), `begin ${begin}`).toBe(begin >= 49 || begin <= -100 ? 1 : 0)
    }
    set(3, 3, 5, 10)
    expect(probe.isSteady(io, 0, 49)).toBe(1)
    set(0, 0, 0, 0, 0x100200)
    f32.set([7, 8, 9], 0x100200 / 4)
    expect([probe.controlAt(io, 2), probe.isSteady(io, 0, 1)]).toEqual([9, 0])
    set(1, 2, -(2 ** 31), 0xffffffff)
    expect(probe.controlAt(io, 0)).toBe(Math.fround(1 + 2 ** 31 / 0xffffffff))
  })
})

describe('the hello kernel of the README', () => {
  const snippet = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(assembly, 'sdk/README.md'), 'utf8'))![1]!
  const hello = defineNode({
    type: 'my::hello', version: '1.0.0', title: 'Hello', doc: 'Scales.', family: 'my',
    params: { level: { type: 'number', min: 0, max: 1, default: 0.5, rate: 'init', doc: 'Factor.' } },
    inputs: { in: { media: audio() } }, outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
    kernel: { module: 'mine', export: 'hello' }, parity: 'exact', latencyFrames: 0,
    reference: {
      init: ({ params }) => ({ level: Math.fround(params['level'] as number) }),
      process({ level }: { readonly level: number }, io) {
        const to = io.outputs[0]!
        if (to.connected && to.frames < io.frames) return STATUS.NO_ROOM
        if (to.connected) {
          io.inputs[0]!.channels.forEach((x, c) => { for (let n = 0; n < io.frames; n++) to.channels[c]![n] = x[n]! * level })
        }
        return io.frames
      },
      reset() { /* holds nothing */ },
    } satisfies Reference,
  })
  test('has at most 15 lines', () => {
    expect(snippet.split('\n').filter((line) => line !== '' && !line.startsWith('//')).length).toBeLessThanOrEqual(15)
  })
  test('builds with npm alone, loads beside the built-in modules and scales', async () => {
    const arena = createArena({ bytes: 2 ** 25, shared: true, wasm: true }), bytes = await compile('hello', snippet)
    const runtime = instantiateRuntime(await compileModules({ shared: true, kernels: { mine: bytes } }), arena.memory!)
    const rig = new KernelRig({ arena, runtime }, hello.definition, 'wasm', {
      media: { in: { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' } },
    })
    const x = [Float32Array.from({ length: 99 }, (_, n) => Math.sin(n)), Float32Array.from({ length: 99 }, (_, n) => Math.cos(n))]
    const { outputs, counters } = rig.run([x], { chunks: [10] })
    x.forEach((plane, c) => expectSame(outputs['out']![c]!, plane.map((one) => one * 0.5)))
    expect(counters).toMatchObject({ calls: 10, tag: 'ASCR', version: 1 })
    rig.close()
    const faults = (await conformance(hello, { kernels: { mine: bytes } })).filter((finding) => !finding.ok)
    expect(faults).toEqual([])
  }, 60_000)
})
