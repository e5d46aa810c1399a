import { expectProgram } from '../kernels/program-check.js'
import { processEntry, type KernelRuntime } from '../kernels/runtime.js'
import type { SharedBlocks } from '../kernels/shared-blocks.js'
import type { Arena } from '../memory/arena.js'
import type { BuildProgram } from './inline-executor.js'
import type { RunScope } from './open-segment.js'
import { buildProgram } from './program.js'
import type { SegmentPlan } from './segment-plan.js'

/**
 * Writes segments of compiled kernels into an arena, calling them by their table entries. `idOf`: the engine's
 * number of a kernel, the same on every thread.
 */
export function compiledBuilder(
  arena: Arena, runtime: KernelRuntime, shared: SharedBlocks, idOf: (module: string, name: string) => number,
): (plan: SegmentPlan, scope: Pick<RunScope, 'memory'>) => ReturnType<BuildProgram> {
  return (plan, { memory }) => {
    const program = buildProgram(arena, plan, {
      shared, ...(memory && { holder: (node: string) => memory.holder(node) }),
      code: (index) => {
        const { module, export: name } = plan.nodes[index]!.spec, id = idOf(module, name)
        runtime.register(id, module, name)
        const code = runtime.kernel(module, name), entry = processEntry(id)
        return { code, process: entry, flush: code.flush === undefined ? 0 : entry + 1 }
      },
    })
    expectProgram(runtime.core, arena, program.address, arena.base)
    return { program, interpreter: { run: runtime.core.segment_run, step: runtime.core.segment_step } }
  }
}
