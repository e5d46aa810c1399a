/**
 * Question: what does a whole job cost (PF-17, AU-111)? 10 minutes of 44.1 kHz stereo 16-bit WAV → mono → 16 kHz → speech segments and
 * 16-bit audio. Hypothesis: on one thread six times faster than the strongest npm parts put together by hand in the same process; two files
 * on two workers 1.7 times faster than one after the other.
 */
import { createEngine, type Engine } from '../src/index.js'
import { channels } from '../src/nodes/audio/channels.js'
import { toPcm16 } from '../src/nodes/audio/convert.js'
import { resample } from '../src/nodes/audio/resample.js'
import { wavFile } from '../src/nodes/io/wav-file.js'
import { vad } from '../src/nodes/voice/vad.js'
import { ChunkedSegment } from '../src/workers/chunked-segment.js'
import { bench, speedup } from './support/bench.js'
import { longWav } from './support/long-wav.js'
import { npmChain } from './support/npm-chain.js'

const SECONDS = 600
const unit = { name: 's of audio', count: SECONDS }

/** The job of PF-17 on one engine; the result is closed at once. */
async function job(
  engine: Engine, wav: Uint8Array,
): Promise<{ segments: number; frames: number; copied: number; crossed: number; states: number }> {
  const speech = resample(channels(wavFile(wav), { to: 1, mode: 'mean' }), { rate: 16_000, quality: 'high' })
  const { outputs, metrics, close } = await engine.run({ segments: vad(speech).segments, pcm: toPcm16(speech) })
  const told = {
    segments: outputs.segments.data.length, frames: outputs.pcm.data.frames,
    copied: metrics.edges.reduce((sum, edge) => sum + edge.copyBytes, 0),
    crossed: metrics.copyBytes, states: metrics.workers.checkpointBytes ?? 0,
  }
  close()
  return told
}

export const pipeline = bench('pipeline', async (b) => {
  const wav = longWav(SECONDS), chain = await npmChain(), engine = await createEngine({ workers: 0 })
  const copy = new Uint8Array(1 << 18)
  const row = await b.compare('10 min of 44.1 kHz stereo 16 bit → mono → 16 kHz → segments and 16 bit, one thread', {
    'engine, workers: 0': () => job(engine, wav),
    'npm: loops, speex q5 SIMD, energy loop': () => chain(wav, 'energy'),
    'npm: loops, speex q5 SIMD, fvad': () => chain(wav, 'fvad'),
    'read and memcpy': () => {
      for (let at = 0; at < wav.length; at += copy.length) copy.set(wav.subarray(at, Math.min(wav.length, at + copy.length)))
    },
  }, {
    unit, rounds: 5, roundMs: 1,
    quality: {
      'engine, workers: 0': 'resampler: flat to 7.36 kHz, aliases below −120 dB',
      'npm: loops, speex q5 SIMD, energy loop': 'resampler: −0.21 dB at 7 kHz, aliases below −111 dB',
    },
  })
  const own = await job(engine, wav), peer = chain(wav, 'energy')
  const [mine, theirs, , read] = row.variants
  b.note(`faster than the npm chain ${(theirs!.p50Ms / mine!.p50Ms).toFixed(2)} (bar 6; by the least times ${(theirs!.minMs / mine!.minMs).toFixed(2)}), ${theirs!.p50Ms >= 6 * mine!.p50Ms ? 'met' : 'missed'}`)
  b.note(`real time × ${Math.round(mine!.perSecond!)} on one core (AU-111, bar 1000); ${(mine!.p50Ms / read!.p50Ms).toFixed(1)} times read and memcpy`)
  b.note(`segments: ${own.segments}, the npm chain's ${peer.segments.length}; frames ${own.frames} and ${peer.pcm.length}; bytes copied between nodes ${own.copied}`)
  await engine.close()
}, ['node'])

export const twoFiles = bench('pipeline-two', async (b) => {
  const wavs = [longWav(SECONDS), longWav(SECONDS, 2)]
  const inline = await createEngine({ workers: 0 })
  const one = await createEngine({ workers: 1, arenaBytes: 2 ** 27 })
  const moving = await createEngine({ workers: 1, shared: false, arenaBytes: 2 ** 27 })
  const shared = await createEngine({ workers: 2, arenaBytes: 2 ** 27 })
  const transfer = await createEngine({ workers: 2, shared: false, arenaBytes: 2 ** 27 })
  const inTurn = async (engine: Engine): Promise<void> => { for (const wav of wavs) await job(engine, wav) }
  const together = async (engine: Engine): Promise<void> => { await Promise.all(wavs.map((wav) => job(engine, wav))) }
  const row = await b.compare('two files of 10 min', {
    'together on 2 workers, shared': () => together(shared),
    'in turn on this thread': () => inTurn(inline),
    'in turn on 1 worker': () => inTurn(one),
    'together on 2 workers, transfer': () => together(transfer),
    'in turn on 1 worker, transfer': () => inTurn(moving),
  }, { unit: { name: 's of audio', count: 2 * SECONDS }, rounds: 5, roundMs: 1 })
  const [both, , worker, moved, alone] = row.variants
  b.note(`two workers ${speedup(1.7, row, ['in turn on this thread', 'in turn on 1 worker'])}`)
  b.note(`transfer by shared ${(moved!.p50Ms / both!.p50Ms).toFixed(2)} × the time on two workers, ${(alone!.p50Ms / worker!.p50Ms).toFixed(2)} on one (by the least times ${(moved!.minMs / both!.minMs).toFixed(2)}, ${(alone!.minMs / worker!.minMs).toFixed(2)})`)
  const { crossed, states } = await job(moving, wavs[0]!), { crossed: kept } = await job(one, wavs[0]!)
  b.note(`bytes copied for one file: transfer ${crossed}, of which states ${states === 0 ? 'none' : `apart ${states} (${(100 * states / crossed).toFixed(2)} % of them)`}; shared ${kept}`)
  for (const engine of [inline, one, moving, shared, transfer]) await engine.close()
}, ['node'])

export const chunksAhead = bench('pipeline-ahead', async (b) => {
  const wavs = [longWav(SECONDS), longWav(SECONDS, 2)], { ahead } = ChunkedSegment.prototype
  const one = await createEngine({ workers: 1, arenaBytes: 2 ** 27 })
  const moving = await createEngine({ workers: 1, shared: false, arenaBytes: 2 ** 27 })
  const shared = await createEngine({ workers: 2, arenaBytes: 2 ** 27 })
  const transfer = await createEngine({ workers: 2, shared: false, arenaBytes: 2 ** 27 })
  /** As it was before chunks were sent ahead: a pass is asked for when the one before it has been dealt with. */
  const inTurns = async (work: () => Promise<unknown>): Promise<void> => {
    ChunkedSegment.prototype.ahead = () => []
    ChunkedSegment.prototype.goOn = () => undefined
    try { await work() } finally { Object.assign(ChunkedSegment.prototype, { ahead, goOn }) }
  }
  const { goOn } = ChunkedSegment.prototype
  const together = async (engine: Engine): Promise<void> => { await Promise.all(wavs.map((wav) => job(engine, wav))) }
  for (const [name, alone, engine, peer] of [
    ['one file, one worker', (e: Engine) => job(e, wavs[0]!), moving, one],
    ['two files together, two workers', together, transfer, shared],
  ] as const) {
    const row = await b.compare(name, {
      'private memory, chunks ahead': () => alone(engine),
      'private memory, one pass after the other': () => inTurns(() => alone(engine)),
      'shared memory': () => alone(peer),
    }, { unit, rounds: 7, roundMs: 1 })
    const [ours, before, best] = row.variants
    b.note(`${name}: before by now ${(before!.p50Ms / ours!.p50Ms).toFixed(2)} (by the least times ${(before!.minMs / ours!.minMs).toFixed(2)}); now by shared ${(ours!.p50Ms / best!.p50Ms).toFixed(2)} (${(ours!.minMs / best!.minMs).toFixed(2)})`)
  }
  for (const engine of [one, moving, shared, transfer]) await engine.close()
}, ['node'])
