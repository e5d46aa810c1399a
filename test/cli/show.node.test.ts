import { expect, test } from 'vitest'
import * as nodes from '../../src/nodes/index.js'
import { call, folder, GAIN, SPEECH, steady, TALK } from './support.js'

const files = folder()

test('nodes lists every type once, as text and as JSON', async () => {
  expect(new Set<unknown>(nodes.builtinNodes))
    .toEqual(new Set<unknown>(Object.values(nodes).filter((node) => typeof node === 'function' && 'definition' in node)))
  const types = [...new Set(Object.values(nodes).flatMap((node) =>
    typeof node === 'function' && 'definition' in node ? [node.definition.type] : []))].sort()
  const text = await call(['nodes']), json = await call(['nodes', '--json'])
  expect(text.out.trimEnd().split('\n').slice(2).map((line) => line.split(' ')[0])).toEqual(types)
  expect((JSON.parse(json.out) as { type: string }[]).map(({ type }) => type)).toEqual(types)
})

test('nodes TYPE shows ports and params', async () => {
  expect((await call(['nodes', 'audio::gain'])).out).toMatchInlineSnapshot(`
    "audio::gain 1.0.0: Gain
    Makes audio louder or softer, and may invert it.

    Inputs
    name  media
    ────  ─────
    in    audio

    Outputs
    name  media
    ────  ─────
    out   audio

    Params
    name    values             default  about
    ──────  ─────────────────  ───────  ─────
    gainDb  number -120…48 dB  0        Gain; −120 is silence.
    invert  boolean            false    Turns the sign of every sample.
    "
  `)
  const schema = JSON.parse((await call(['nodes', 'audio::gain', '--json'])).out) as object
  expect(JSON.stringify(schema)).toContain('gainDb')
})

test('doctor tries every tier, and says why for what is missing', async () => {
  const { code, out } = await call(['doctor'])
  expect(code).toBe(0)
  for (const tier of ['auto', 'wasm-threads', 'wasm', 'js']) expect(out).toMatch(new RegExp(`^${tier} +yes +\\S`, 'm'))
  expect(out).toMatch(/^webgpu +no +navigator\.gpu/m)
  expect(out).not.toContain('[object')
  const { facts, tiers, auto } = JSON.parse((await call([
    'doctor', '--json',
  ])).out) as { facts: { cores: number; node: boolean }; tiers: { tier: string; works: boolean }[]; auto: { works: boolean } }
  expect(facts).toMatchObject({ node: true })
  expect(facts.cores).toBeGreaterThan(0)
  expect([auto, ...tiers].every(({ works }) => works)).toBe(true)
})

test('inspect prints the plan without running it', async () => {
  const { code, out, err } = await call(['inspect', SPEECH, '--input', `file=${TALK}`])
  expect([code, err]).toEqual([0, ''])
  expect(steady(out)).toMatchInlineSnapshot(`
    "plan #  5 nodes, 1 segment
      segment 0  wasm-threads on engine, chunks, 4096 frames a block, 28.9 KiB
        ~read.out~1 (audio::convert) -> audio f32 planar 22050 Hz, 1 channel
        to16k (audio::resample) [fft] -> audio f32 planar 16000 Hz, 1 channel
        vad (voice::vad)
        pcm (audio::convert)
      read (io::wav-file) -> audio i16 interleaved 22050 Hz, 1 channel  written in TypeScript
      inserted ~read.out~1 (audio::convert) on read.out->to16k.in: audio 22050 Hz, 1 channel, i16, interleaved → audio 22050 Hz, 1 channel, f32, planar
      about # ms, 210 KiB at most, 0 bytes copied between nodes
    "
  `)
})

test('inspect --json is the plan as one object', async () => {
  const plan = JSON.parse((await call([
    'inspect', SPEECH, '-i', `file=${TALK}`, '--json', '--tier', 'js',
  ])).out) as { nodes: { id: string }[]; segments: { tier: string }[]; inserted: unknown[]; diagnostics: unknown[] }
  expect(plan.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(['read', 'to16k', 'vad', 'pcm']))
  expect(plan.segments).toMatchObject([{ tier: 'js' }])
  expect(plan.inserted).toHaveLength(1)
})

test('values are read as JSON, so that a param gets its number', async () => {
  const graph = files.file('gain.json', GAIN)
  const good = await call(['inspect', graph, '-i', `file=${TALK}`, '-i', 'gainDb=-6'])
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('audio::gain')])
  const bad = await call(['inspect', graph, '-i', `file=${TALK}`, '-i', 'gainDb=loud'])
  expect(bad.code).toBe(3)
  expect(bad.err).toMatch(/PARAM_INVALID.*gain\.gainDb/)
})

test('an input without value or default is named with the words that give it', async () => {
  const { code, err } = await call(['inspect', files.file('gain.json', GAIN)])
  expect([code, err]).toEqual([2, expect.stringContaining('Give it: --input file=VALUE')])
})
