import { graphErrors } from '../graph/errors.js'
import { Interpreter } from '../kernels/interpreter.js'
import { referenceCode } from '../kernels/reference-code.js'
import type { KernelRuntime } from '../kernels/runtime.js'
import type { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Arena } from '../memory/arena.js'
import { compiledBuilder } from '../schedule/compiled-builder.js'
import type { BuildProgram } from '../schedule/inline-executor.js'
import type { RunScope } from '../schedule/open-segment.js'
import type { SegmentInterpreter } from '../schedule/passes.js'
import { buildProgram, type BuiltProgram } from '../schedule/program.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import type { KernelIds } from './kernel-ids.js'

/** Writes segments into the engine's arena: compiled kernels by their table entries, references by closures of their own. */
export function segmentBuilder(arena: Arena, runtime: KernelRuntime | undefined, ids: KernelIds, shared: SharedBlocks): BuildProgram {
  const compiled = runtime && compiledBuilder(arena, runtime, shared, (module, name) => ids.of(module, name))
  return (plan, scope) => plan.tier === 'js' || compiled === undefined ? interpreted(arena, plan, scope) : compiled(plan, scope)
}

/** The `js` tier: the TypeScript interpreter over references. Entry 2i + 1 is the `process` of step i, the next its `flush`. */
function interpreted(arena: Arena, plan: SegmentPlan, scope: RunScope): { program: BuiltProgram; interpreter: SegmentInterpreter } {
  const codes = plan.nodes.map((node) => {
    const parts = scope.reference(node.node)
    if (parts === undefined) throw graphErrors.TIER_UNAVAILABLE({ node: node.spec.nodeId, wanted: 'js', missing: ['a reference'] })
    return referenceCode(node.spec, parts, arena)
  })
  const program = buildProgram(arena, plan, {
    shared: undefined, ...(scope.memory && { holder: (node: string) => scope.memory!.holder(node) }),
    code: (index) => ({ code: codes[index]!, process: 2 * index + 1, flush: codes[index]!.flush === undefined ? 0 : 2 * index + 2 }),
  })
  const interpreter = new Interpreter(arena, arena.base, (index, state, io) => {
    const code = codes[(index - 1) >> 1]!
    return index % 2 === 1 ? code.process(state, io) : code.flush!(state, io)
  })
  return { program, interpreter }
}
