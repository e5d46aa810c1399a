import type { KernelSpec } from '../kernels/kernel-spec.js'
import type { ChannelView } from '../graph/node-definition.js'
import type { ValueId } from '../graph/resolve/linked-node.js'
import type { Media } from '../media/media-type.js'
import type { Tier } from '../graph/tiers.js'

export type { ValueId }

/** One kernel of a segment: instance data, and which buffer each port is bound to (−1: unconnected). */
export interface SegmentNode {
  readonly spec: KernelSpec
  /** Index of the node in the plan's order. */
  readonly node: number
  readonly inputs: readonly number[]
  /** What an input sees of its buffer, by input: some channels. Absent: all of them. */
  readonly views?: readonly (ChannelView | undefined)[]
  /** By input: it bounds a call but never keeps the step open (`READER.WEAK`). Absent: none does. */
  readonly weak?: readonly boolean[]
  /** Controls that edges drive. */
  readonly driven?: readonly { readonly buffer: number; readonly control: number }[]
  /** Changes of controls that may wait at a time (KE-15); absent: controls do not change by themselves. */
  readonly timeline?: number
  readonly outputs: readonly number[]
  /** Frames by which readers of each output start late (pre-roll of a latency). */
  readonly latencyFrames: number
}

/** What one output port writes and the steps of the segment read. Frames are frames of this port. */
export interface SegmentBuffer {
  readonly kind: 'internal' | 'input' | 'output'
  readonly value: ValueId
  readonly media: Media
  readonly channels: number
  /** Bytes of one frame of one channel. */
  readonly frameBytes: number
  /** Internal: frames of room. External: most frames that one pass may add or take. */
  readonly capacity: number
  /** Internal: offset in the segment's working area, bytes; coloured by liveness. */
  readonly offset: number
  /** Steps that read it, in order. */
  readonly readers: readonly number[]
  /** Frames by which every reader starts late. */
  readonly skip: number
  /**
   * Some reader reads it late (GR-12): where each starts, in the order of `readers`; frames of zeros before the first written one; written
   * frames that are zeroed too; room below which frames move to the front.
   */
  readonly late?: { readonly starts: readonly number[]; readonly zeros: number; readonly preroll: number; readonly keep: number }
  /** Steps between which its memory is taken, both included. */
  readonly live: readonly [number, number]
  /** What the writing node says of every packet of this output. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A run of kernels that one thread executes pass by pass (DESIGN section 1). Plain data: buildable on any thread. */
export interface SegmentPlan {
  readonly index: number
  readonly tier: Tier
  /**
   * Its nodes named another tier than the engine's: it runs on the engine's thread in a memory of that tier, and
   * audio is copied in and out. Absent: false.
   */
  readonly guest?: true
  /** `chunks`: fed by packets of a TypeScript node or source; `values`: all inputs are whole values, self-scheduled. */
  readonly feed: 'chunks' | 'values'
  readonly nodes: readonly SegmentNode[]
  readonly buffers: readonly SegmentBuffer[]
  /** Bytes of the working area that internal buffers share. */
  readonly workBytes: number
  /** Most frames that a step takes from an external input in one pass. */
  readonly headFrames: number
  /** Lane among the ready tasks of its run (EX-57); default normal. */
  readonly lane?: 'high' | 'normal' | 'low'
  /** Capability tags that its nodes require, canonical, in order (GR-41); absent: none. */
  readonly tags?: readonly string[]
  /** How long a thread that executes it may be silent, ms: the most that a node of it says; default 3 000. */
  readonly hangMs?: number
}
