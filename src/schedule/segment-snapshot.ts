import { BUFFER, BUFFER_FLAG, CHANGE, CONTROL, PROGRAM, STEP, TIMELINE } from '../kernels/contract.js'
import type { KernelInstance } from '../kernels/kernel-instance.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import type { BuiltProgram } from './program.js'
import type { SegmentPlan } from './segment-plan.js'

/** Bytes of a memory: where, and how many. */
export type Span = readonly [Address, number]

/**
 * All that a segment of the same plan needs to go on in another memory. No address is in it: kernels' states
 * hold none (KE-02), records keep their own.
 */
export interface SegmentSnapshot {
  /** What passes changed, then frames that internal buffers and outputs keep, then what readers have yet to take of inputs. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** First frame of each output that has not been given on. */
  readonly cursors: readonly number[]
  readonly starts: readonly number[]
  readonly started: boolean
  readonly short: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * What passes change of a program and means the same in every memory; where each part stands in this
 * one. `timelines`: their addresses, 0 without.
 */
export function portableSpans(
  address: Address, steps: Address, plan: SegmentPlan, instances: readonly KernelInstance[], buffers: Address, offsets: readonly Address[],
  timelines: readonly Address[],
): Span[] {
  return [
    [address + PROGRAM.STATE_WORD, 4], [address + PROGRAM.PASSES, 4],
    ...plan.nodes.flatMap((_, i): Span[] => [
      [steps + i * STEP.BYTES + STEP.PHASE, STEP.WANTED - STEP.PHASE],
      [steps + i * STEP.BYTES + STEP.SAMPLE_NS, STEP.TIMELINE - STEP.SAMPLE_NS],
    ]),
    ...plan.buffers.flatMap(({ readers, late }, i): Span[] => [
      ...late && late.preroll > 0 ? [[buffers + i * BUFFER.BYTES + BUFFER.PREROLL, 4] as const] : [],
      [buffers + i * BUFFER.BYTES + BUFFER.FILLED, 4], [buffers + i * BUFFER.BYTES + BUFFER.FLAGS, 4],
      [buffers + i * BUFFER.BYTES + BUFFER.ORIGIN_U64, 8], [offsets[i]!, readers.length * 4]]),
    // A stream's address in a control is written again before each call.
    ...instances.flatMap(({ state, stateBytes, descriptors: { controls }, spec }): Span[] =>
      [[state, stateBytes], [controls, spec.controls.length * CONTROL.BYTES]]),
    ...timelines.flatMap((at, i): Span[] => at === 0 ? [] : [[at, TIMELINE.BYTES + plan.nodes[i]!.timeline! * CHANGE.BYTES]]),
  ]
}

/** Frames that buffers of a kind hold between two passes; `firstOf`: from which one on, by buffer. Default: all. */
export function* keptFrames(
  { u32 }: MemoryHost, program: BuiltProgram, kind: 'internal' | 'output', firstOf?: (buffer: number) => number,
): Iterable<Span> {
  for (const [i, buffer] of program.plan.buffers.entries()) {
    const record = program.buffer(i) >>> 2, filled = u32[record + BUFFER.FILLED / 4]!
    if (buffer.kind !== kind || filled === 0 || (u32[record + BUFFER.FLAGS / 4]! & BUFFER_FLAG.UNWRITTEN) !== 0) continue
    const first = firstOf?.(i) ?? 0
    for (let c = 0; c < buffer.channels; c++) {
      yield [
        u32[record + BUFFER.BASE / 4]! + c * u32[record + BUFFER.STRIDE / 4]! + first * buffer.frameBytes,
        (filled - first) * buffer.frameBytes,
      ]
    }
  }
}

/** Copies spans one behind the other; into `room` when it is large enough. */
export function gather({ u8 }: MemoryHost, spans: readonly Span[], room?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const total = spans.reduce((sum, [, bytes]) => sum + bytes, 0)
  const into = room !== undefined && room.length >= total ? room : new Uint8Array(total)
  let at = 0
  for (const [address, bytes] of spans) {
    into.set(u8.subarray(address, address + bytes), at)
    at += bytes
  }
  return into
}

/** Writes spans back from `at` on; gives where the rest begins. */
export function scatter({ u8 }: MemoryHost, spans: Iterable<Span>, from: Uint8Array, at = 0): number {
  for (const [address, bytes] of spans) {
    u8.set(from.subarray(at, at + bytes), address)
    at += bytes
  }
  return at
}
