import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { AudioSpec, SampleArray } from '../media/audio-buffer.js'
import { convertSamples, formatOf, SAMPLE_BYTES } from '../media/convert-samples.js'
import type { SampleFormat } from '../media/media-type.js'
import type { Arena } from './arena.js'
import { ARRAY_OF, ArenaAudio, audioShape, type AudioShape } from './audio-buffer.js'
import type { Block } from './block.js'
import { copyParts } from './copies.js'
import type { Holder } from './leases.js'

/** `engine.audio`: makes audio in the arena. Engine thread only. */
export interface AudioApi {
  /** Silent audio. `frames` is required. `zero: false` leaves the bytes as they are, for callers that write all of them. */
  alloc(spec: AudioSpec, options?: { readonly zero?: boolean; readonly holder?: Holder }): ArenaAudio
  /**
   * Audio from samples (AU-13). `spec.layout` is the layout of `data`, `spec.format` the wanted format (default: that of the data). Samples
   * in the arena are borrowed: same address, no copy. `f32` from elsewhere needs `copy: true`; `i16`, `i32` and `u8` from elsewhere, and
   * every change of format, cost one counted pass into a new block. Anything else throws `INVALID_ARGUMENT`.
   */
  from(
    data: SampleArray | readonly Float32Array[], spec: AudioSpec, options?: { readonly copy?: boolean; readonly holder?: Holder },
  ): ArenaAudio
  /** Audio over a block that holds exactly its samples; takes over the block's lease. */
  wrap(block: Block, shape: AudioShape): ArenaAudio
}

/** Makes the audio API of an arena. */
export function createAudioApi(arena: Arena): AudioApi {
  return {
    alloc(spec, { zero = true, holder = arena.engine } = {}) {
      const shape = audioShape(spec, spec.frames ?? Number.NaN, spec.format ?? 'f32', 'audio.alloc')
      return new ArenaAudio(arena, arena.claim({ dtype: shape.format, shape: [shape.channels * shape.frames] }, { zero, holder }), shape)
    },
    from(data, spec, { copy = false, holder = arena.engine } = {}) {
      const runs = Array.isArray(data) ? data as readonly Float32Array[] : [data as SampleArray]
      const source = sourceOf(runs, Array.isArray(data), spec)
      const shape = audioShape(spec, source.frames, spec.format ?? source.format, 'audio.from')
      const inArena = runs.every((run) => run.buffer === arena.buffer)
      if (inArena && !copy && shape.format === source.format) return borrow(arena, runs, shape, holder)
      if (source.format === 'f32' && shape.format === 'f32' && !copy) {
        throw commonErrors.INVALID_ARGUMENT({
          function: 'audio.from', expected: 'f32 samples in the arena, or copy: true', got: 'f32 samples outside it',
        })
      }
      const audio = new ArenaAudio(arena, arena.claim({ dtype: shape.format, shape: [shape.channels * shape.frames] }, { holder }), shape)
      fill(arena, audio, runs, source.format)
      return audio
    },
    wrap: (block, shape) => new ArenaAudio(arena, block, shape),
  }
}

interface Source { readonly format: SampleFormat; readonly frames: number }

function sourceOf(runs: readonly SampleArray[], planes: boolean, spec: AudioSpec): Source {
  const refuse = (expected: string, got: string): never => {
    throw commonErrors.INVALID_ARGUMENT({ function: 'audio.from', expected, got })
  }
  const format = formatOf(runs[0])
  if (format === null || (planes && runs.some((run) => formatOf(run) !== 'f32'))) {
    return refuse(planes ? 'one Float32Array per channel' : 'a Float32Array, Int16Array, Int32Array or Uint8Array', show(runs[0]))
  }
  const length = runs[0]!.length, frames = planes ? length : length / spec.channels
  if (planes && spec.layout === 'interleaved') refuse('planar samples', 'layout interleaved with one array per channel')
  if (planes && runs.length !== spec.channels) refuse(`${spec.channels} channels`, `${runs.length} arrays`)
  if (runs.some((run) => run.length !== length)) refuse('channels of equal length', runs.map((run) => run.length).join(', '))
  if (!Number.isInteger(frames)) refuse(`a multiple of ${spec.channels} samples`, `${length}`)
  if (spec.frames !== undefined && spec.frames !== frames) refuse(`${spec.frames} frames`, `${frames}`)
  return { format, frames }
}

/** Samples that stand in the arena already: the same bytes under a new lease. */
function borrow(arena: Arena, runs: readonly SampleArray[], shape: AudioShape, holder: Holder): ArenaAudio {
  const first = runs[0]!, bytes = shape.channels * shape.frames * SAMPLE_BYTES[shape.format]
  const joined = runs.every((run, i) => run.byteOffset === first.byteOffset + i * first.byteLength)
  const block = joined ? arena.openAt(first.byteOffset, bytes, holder) : null
  if (block === null) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'audio.from', expected: 'contiguous samples inside one live block',
      got: joined ? 'arena memory that no block owns' : 'channels that stand apart', hint: 'Use copy: true.',
    })
  }
  return new ArenaAudio(arena, block, shape)
}

function fill(arena: Arena, audio: ArenaAudio, runs: readonly SampleArray[], from: SampleFormat): void {
  // A view for this call only: tryView would pin the block.
  const all = new ARRAY_OF[audio.format](arena.buffer, audio.address, audio.samples), length = runs[0]!.length
  const parts = runs.map((run, i) => ({ to: all.subarray(i * length, (i + 1) * length), from: run }))
  if (from === audio.format) {
    copyParts(parts, { ledger: arena.copies, edge: 'audio.from', reason: 'user' })
    return
  }
  for (const part of parts) convertSamples(part.from, part.to)
  arena.copies.add('audio.from', runs.length * length * SAMPLE_BYTES[from], 'convert')
}
