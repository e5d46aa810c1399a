import { expectTypeOf, test } from 'vitest'
import type { GraphId, JobId, NodeId, PackId, RunId, TensorId, WorkerId } from '../../src/graph/ids.js'

interface Ids { node: NodeId; graph: GraphId; run: RunId; job: JobId; worker: WorkerId; tensor: TensorId; pack: PackId }
/** Pairs (wanted, given) of different ids that the compiler would let pass; must be none of the 42. */
type Leaks =
  { [W in keyof Ids]: { [G in Exclude<keyof Ids, W>]: Ids[G] extends Ids[W] ? `${G} as ${W}` : never }[Exclude<keyof Ids, W>] }[keyof Ids]

test('no id passes for another, text from outside passes for each', () => {
  expectTypeOf<Leaks>().toEqualTypeOf<never>()
  expectTypeOf<'read'>().toExtend<NodeId>()
  expectTypeOf<NodeId>().toExtend<string>()
  const take = (id: RunId): RunId => id
  const node: NodeId = 'read'
  // @ts-expect-error a node id is no run id
  expectTypeOf(take(node)).toBeString()
})
