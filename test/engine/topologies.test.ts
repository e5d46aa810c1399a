import { describe, expect, test } from 'vitest'
import { audio, createEngine, defineNode, json, type AudioBuffer, type Packet } from '../../src/index.js'
import {
  audioBuffer, buffer, channels, convert, gain, merge, mix, pass, resample, select, split, swap, switchTo, vad,
} from '../../src/nodes/index.js'

type Loose = (...args: unknown[]) => never
interface Seen {
  readonly node: string
  readonly address: number
  readonly position: number
  readonly metadata: Readonly<Record<string, unknown>>
}

/** A node that notes what comes to it: handle, position, metadata; and hands it on. */
function watcher(log: Seen[]): { named(id: string): Loose } {
  return defineNode({
    type: 'test::watch', version: '1.0.0', title: 'Watch', doc: 'Notes what it reads.', family: 'test', params: {},
    inputs: { in: { media: audio({}) } }, outputs: { out: { media: audio({ like: 'in' }) } },
    process: async function* (
      { in: x }: { readonly in: AsyncIterable<Packet> }, _: unknown, ctx: { readonly node: { readonly id: string } },
    ) {
      for await (const packet of x) {
        log.push({
          node: ctx.node.id,
          address: (packet.data as unknown as { readonly handle: number }).handle,
          position: packet.position, metadata: packet.metadata,
        })
        yield { out: { ...packet, data: (packet.data as AudioBuffer).clone() } }
      }
    },
  } as never) as never
}
const end = (log: string[]): { named(id: string): Loose } => defineNode({
  type: 'test::end', version: '1.0.0', title: 'End', doc: 'Says that its input has ended.', family: 'test', params: {},
  inputs: { in: { media: audio({}) } }, outputs: { n: { media: json() } },
  process: async (
    { in: x }: { readonly in: { whole(): Promise<Packet> } }, _: unknown, ctx: { readonly node: { readonly id: string } },
  ) => {
    const packet = await x.whole()
    log.push(ctx.node.id)
    return { n: { ...packet, media: { kind: 'json' }, data: packet.duration } }
  },
} as never) as never

/** Sound as one value of the engine (batch) or as packets of a stream, with a tag. */
const tagged = (frames: number): Loose => defineNode({
  type: 'test::tagged', version: '1.0.0', title: 'Tagged', doc: 'Packets with a tag.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: audio({ rate: 48_000, channels: 2, format: 'f32', layout: 'planar' }) } },
  pull: async function* (_: unknown, ctx: { allocAudio(o: object): Promise<AudioBuffer> }) {
    for (let n = 0; n < 4; n++) {
      const data = await ctx.allocAudio({ rate: 48_000, channels: 2, frames })
      for (let c = 0; c < 2; c++) data.channel(c).fill(0.5)
      yield {
        out: {
          media: { kind: 'audio', rate: 48_000, channels: 2, format: 'f32', layout: 'planar' },
          data, position: 96_000 + n * frames, duration: frames, streamId: 's', seq: n, arrivalUs: 0, metadata: { take: 7 },
        },
      }
    }
  },
} as never) as never

describe.each([
  'batch', 'stream',
] as const)('graphs run in a valid order, and who reads an output reads it where it stands (GR-59, %s)', (mode) => {
  const shapes: Readonly<Record<string, (x: never, watch: { named(id: string): Loose }) => Record<string, unknown>>> = {
    'linear, 100 nodes': (x, watch) => ({
      a: Array.from({ length: 100 }, (_, n) => n).reduce<never>((before, n) => watch.named(`w${n}`)(before), x),
    }),
    branching: (x, watch) => Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`o${n}`, watch.named(`w${n}`)(x)])),
    'converging and disconnected': (x, watch) => ({
      sum: mix([watch.named('w0')(x), watch.named('w1')(x)]),
      apart: gain(audioBuffer({ data: [new Float32Array(100)], rate: 8_000 }), { gainDb: 1 }),
    }),
  }
  test.each(Object.keys(shapes))('%s', async (name) => {
    const log: Seen[] = []
    await using engine = await createEngine({ workers: 0, arenaBytes: 32 * 1_048_576 })
    using whole = engine.audio.alloc({ rate: 48_000, channels: 2, frames: 4_000 })
    const source = mode === 'batch' ? audioBuffer({ data: whole }) : tagged(1_000)() as never
    using result = await engine.run(shapes[name]!(source as never, watcher(log)) as never)
    expect(result.status).toBe('success')
    const watchers = new Set(log.map(({ node }) => node)), packets = mode === 'batch' ? 1 : 4
    expect(log).toHaveLength(watchers.size * packets)
    for (let n = 0; n < packets; n++) {
      const at = [...watchers].map((node) => log.filter((one) => one.node === node)[n]!)
      expect(new Set(at.map(({ address }) => address)).size).toBe(1)
      // A chain sees each packet in its order.
      if (name.startsWith('linear')) {
        expect(at.map((one) => log.indexOf(one))).toEqual(at.map((one) => log.indexOf(one)).sort((a, b) => a - b))
      }
    }
    // Only the sound that was given as plain arrays is written; edges copy nothing.
    const written = name.includes('disconnected') ? 400 : 0
    if (mode === 'batch') expect(result.metrics.copyBytes).toBe(written)
  })
})

describe('metadata and positions survive every node that hands audio on (GR-39)', () => {
  const nodes: Readonly<Record<string, (x: never) => unknown>> = {
    gain: (x) => gain(x, { gainDb: 1 }), mix: (x) => mix([x, gain(x)]), convert: (x) => convert(x, { format: 'i16' }),
    channels: (x) => channels(x, { to: 1, mode: 'mean' }), resample: (x) => resample(x, { rate: 16_000 }),
    split: (x) => Object.values(split(x, {} as never) as object)[0], select: (x) => select(x, { first: 1, count: 1 } as never),
    swap: (x) => swap(x as never),
    merge: (x) => merge([x, gain(x)] as never), vad: (x) => (vad(x) as unknown as { audio: unknown }).audio, pass: (x) => pass(x as never),
    buffer: (x) => buffer(x as never), switch: (x) => switchTo([x] as never, { which: 0 } as never),
  }
  test.each(Object.keys(nodes))('%s', async (name) => {
    const log: Seen[] = [], ended: string[] = []
    await using engine = await createEngine({ workers: 0, arenaBytes: 32 * 1_048_576 })
    const out = nodes[name]!(tagged(4_800)() as never), rate = name === 'resample' ? 1 / 3 : 1
    using result = await engine.run({ n: end(ended).named('end')(watcher(log).named('watch')(out)) } as never)
    expect(result.status).toBe('success')
    expect(log.length).toBeGreaterThan(0)
    expect(log[0]!.position).toBe(96_000 * rate)
    expect(log.every(({ metadata }) => metadata['take'] === 7)).toBe(true)
    expect(log.map(({ position }) => position)).toEqual(log.map(({ position }) => position).sort((a, b) => a - b))
  })
})
