import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alignedBytes, colour, type ColourBuffer } from '../../src/schedule/colouring.js'
import type { SegmentNode } from '../../src/schedule/segment-plan.js'

const spec = { name: 'out', connected: true, channels: 1, width: 1, dtype: 'f32', kind: 'audio', framesPerSecond: 48_000 } as const

/** A chain or DAG of steps: step i writes buffer i; `readers[i]` are later steps that read it. */
function problem(readers: readonly (readonly number[])[], frames: readonly number[]): { nodes: SegmentNode[]; buffers: ColourBuffer[] } {
  const inputs: number[][] = readers.map(() => [])
  readers.forEach((steps, buffer) => { for (const step of steps) inputs[step]!.push(buffer) })
  const nodes = readers.map((_, i) => ({ spec: {}, node: i, inputs: inputs[i]!, outputs: [i], latencyFrames: 0 }) as unknown as SegmentNode)
  const buffers = readers.map((steps, i): ColourBuffer => ({
    kind: 'internal', spec, capacity: frames[i]!, readers: steps, writer: i, skip: 0,
  }))
  return { nodes, buffers }
}

/** Random DAG: every step reads at most one earlier buffer (so nothing is a join), buffers of equal or random size. */
const trees = fc.integer({ min: 1, max: 9 }).chain((steps) => fc.tuple(
  fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: steps, maxLength: steps }),
  fc.array(fc.integer({ min: 1, max: 500 }), { minLength: steps, maxLength: steps })))

function readersOf(choices: readonly number[]): number[][] {
  const readers: number[][] = choices.map(() => [])
  for (let step = 1; step < choices.length; step++) readers[choices[step]! % step]!.push(step)
  return readers
}

const definitions = (n: number): never[] => Array.from({ length: n }, () => ({ definition: {} })) as never[]

describe('colour', () => {
  test('no two buffers that live at once overlap', () => {
    fc.assert(fc.property(trees, ([choices, frames]) => {
      const { nodes, buffers } = problem(readersOf(choices), frames)
      const { offsets, live } = colour(nodes, buffers, definitions(nodes.length), new Set())
      for (let a = 0; a < buffers.length; a++) for (let b = a + 1; b < buffers.length; b++) {
        const together = live[a]![0] <= live[b]![1] && live[b]![0] <= live[a]![1]
        const bytes = (i: number): number => alignedBytes(buffers[i]!.capacity * 4)
        const apart = offsets[a]! + bytes(a) <= offsets[b]! || offsets[b]! + bytes(b) <= offsets[a]!
        expect(!together || apart).toBe(true)
      }
    }), { numRuns: 500, seed: 1 })
  })

  test('equal buffers: as few as live at once, which no colouring can undercut', () => {
    fc.assert(fc.property(trees, ([choices]) => {
      const { nodes, buffers } = problem(readersOf(choices), choices.map(() => 16))
      const { live, bytes } = colour(nodes, buffers, definitions(nodes.length), new Set())
      const most = Math.max(...nodes.map((_, step) => live.filter(([from, to]) => from <= step && step <= to).length))
      expect(bytes / 64).toBe(most)
    }), { numRuns: 500, seed: 2 })
  })

  test('a step that works in place writes over an input that only it reads', () => {
    const { nodes, buffers } = problem([[1], [2], []], [16, 16, 16])
    const inPlace = Array.from({ length: 3 }, () => ({ definition: { kernel: { inPlace: [[0, 0]] } } })) as never[]
    expect(colour(nodes, buffers, inPlace, new Set())).toMatchObject({ offsets: [0, 0, 0], bytes: 64 })
  })

  test('an input with a second reader is not written over', () => {
    const { nodes, buffers } = problem([[1, 2], [], []], [16, 16, 16])
    const inPlace = Array.from({ length: 3 }, () => ({ definition: { kernel: { inPlace: [[0, 0]] } } })) as never[]
    const { offsets } = colour(nodes, buffers, inPlace, new Set())
    expect(offsets[1]).not.toBe(offsets[0])
  })

  test('a buffer that a join reads keeps its memory for the whole pass', () => {
    const { nodes, buffers } = problem([[1, 2], [2], []], [16, 16, 16])
    expect(colour(nodes, buffers, definitions(3), new Set([2])).live[0]).toEqual([0, 3])
  })
})
