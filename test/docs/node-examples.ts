/**
 * One runnable example per node type: `scripts/generate-node-docs.mjs` prints the line, `test/docs/node-reference.node.test.ts` runs it.
 * Each gives outputs by name; `tone()` is half a second of a sine, 16 kHz, mono, `stereo()` the same on two channels.
 */
import type { Outputs } from '../../src/graph/graph-from.js'
import {
  add, audioBuffer, buffer, channels, convert, difference, divide, gain, listSink, listSource, map, merge, mix, multiply, numbers, pass,
  resample, segmenter, select, split, swap, switchTo, textSink, vad, wavFile,
  wavWriter,
} from '../../src/nodes/index.js'

const sine = (): Float32Array => Float32Array.from({ length: 8_000 }, (_, n) => 0.5 * Math.sin(2 * Math.PI * 440 * n / 16_000))
const tone = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [sine()], rate: 16_000 })
const stereo = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [sine(), sine()], rate: 16_000 })
const talk = 'examples/talk.wav'

/** Lines are printed as they stand: keep each on one. */
export const nodeExamples: Readonly<Record<string, () => Outputs>> = {
  'audio::channels': () => ({ mono: channels(stereo(), { to: 1, mode: 'mean' }) }),
  'audio::convert': () => ({ pcm: convert(tone(), { format: 'i16', layout: 'interleaved' }) }),
  'audio::difference': () => ({ error: difference(tone(), gain(tone(), { gainDb: -60 })) }),
  'audio::gain': () => ({ softer: gain(tone(), { gainDb: -6 }) }),
  'audio::merge': () => ({ pair: merge([tone(), gain(tone(), { gainDb: -12 })]) }),
  'audio::mix': () => ({ both: mix([tone(), gain(tone(), { invert: true })]) }),
  'audio::resample': () => ({ out: resample(tone(), { rate: 48_000, quality: 'high' }) }),
  'audio::select': () => ({ right: select(stereo(), { first: 1 }) }),
  'audio::split': () => ({ left: split(stereo()).c0, right: split(stereo()).c1 }),
  'audio::swap': () => ({ turned: swap(stereo()) }),
  'core::buffer': () => ({ list: listSink(buffer(numbers([1, 2, 3]), { size: 2 })) }),
  'core::list-sink': () => ({ list: listSink(numbers([1, 2, 3])) }),
  'core::list-source': () => ({ list: listSink(listSource(['a', 'b'])) }),
  'core::map': () => ({ squares: listSink(map(numbers([1, 2, 3]), { op: 'square' })) }),
  'core::numbers': () => ({ sum: listSink(add(numbers([1, 2]), { addend: 10 })) }),
  'core::pass': () => ({ same: listSink(pass(numbers([1, 2]))) }),
  'core::switch': () => ({ chosen: listSink(switchTo([listSource(['a']), listSource(['b'])], { which: true })) }),
  'io::audio-buffer': () => ({ out: audioBuffer({ data: [new Float32Array(1_600)], rate: 16_000 }) }),
  'io::wav-file': () => ({ out: wavFile(talk) }),
  'io::wav-writer': () => ({ file: wavWriter(tone(), { format: 'i16' }) }),
  'math::add': () => ({ sums: listSink(add(numbers([1, 2]), { addend: 10 })) }),
  'math::divide': () => ({ halves: listSink(divide(numbers([1, 2]), { divisor: 2 })) }),
  'math::multiply': () => ({ doubles: listSink(multiply(numbers([1, 2]), { factor: 2 })) }),
  'text::sink': () => ({ text: textSink(listSource(['a', 'b'])) }),
  'voice::segmenter': () => ({ events: segmenter(vad(tone()).frames, { minSpeechMs: 60 }) }),
  'voice::vad': () => ({ segments: vad(wavFile(talk), { threshold: 0.02 }).segments }),
}
