import { PASS } from '../kernels/contract.js'
import type { Arena } from '../memory/arena.js'
import { isMillraceError } from '../errors/millrace-error.js'
import { memoryErrors } from '../memory/errors.js'
import { commonErrors } from '../errors/common-errors.js'
import type { Clock } from './clock.js'
import { EngineSegment } from './engine-segment.js'
import type { OpenSegment, OutputMode, RunScope, SegmentExecutor } from './open-segment.js'
import { checkedPass, onePass, type SegmentInterpreter } from './passes.js'
import type { BuiltProgram } from './program.js'
import type { SegmentPlan } from './segment-plan.js'

/** How long passes run before the event loop gets a turn, µs. */
const SLICE_US = 8_000
/** Thread record of the engine's own thread. */
const ENGINE_THREAD = 0

/** Builds a segment's program in the engine's arena. */
export type BuildProgram =
  (plan: SegmentPlan, scope: RunScope) => { readonly program: BuiltProgram; readonly interpreter: SegmentInterpreter }

/** Executes segments on the engine's own thread, in slices of 8 ms, so that a page stays alive and a cancel is seen. */
export class InlineExecutor implements SegmentExecutor {
  readonly where = 'engine' as const
  readonly #arena: Arena
  readonly #clock: Clock
  readonly #build: BuildProgram
  #busyUs = 0
  /**
   * µs of passes since the event loop had a turn: chunks of a file in memory come without one, and no
   * timer would hear of a cancel before its end.
   */
  #heldUs = 0

  constructor(arena: Arena, clock: Clock, build: BuildProgram) {
    this.#arena = arena
    this.#clock = clock
    this.#build = build
  }

  get busyUs(): number { return this.#busyUs }

  prepare(): Promise<void> { return Promise.resolve() }

  open(plan: SegmentPlan, outputs: ReadonlyMap<number, OutputMode>, scope: RunScope): Promise<EngineSegment> {
    const { program, interpreter } = this.#build(plan, scope)
    const timed = scope.timed !== false
    let pass = 0
    const segment: EngineSegment = new EngineSegment(this.#arena, plan, program, outputs, scope, async () => {
      const began = this.#clock.nowUs()
      let busy = 0, slice = began
      try {
        for (;;) {
          if (scope.signal.aborted) throw scope.signal.reason
          const code = guarded(program, () => this.#arena.debug ? checkedPass(
            interpreter, program.address, ENGINE_THREAD, plan.nodes.length,
            (step) => { expectGuards(this.#arena, plan, step) },
          )
            : timed ? onePass(interpreter, program.address, ENGINE_THREAD, pass++, program.steps, plan.nodes.length, this.#arena.u32, () =>
              this.#clock.nowUs())
            : interpreter.run(program.address, ENGINE_THREAD))
          const now = this.#clock.nowUs()
          if (this.#heldUs + now - slice >= SLICE_US) {
            busy += now - slice
            this.#busyUs += now - slice
            this.#heldUs = 0
            await this.#clock.yield()
            slice = this.#clock.nowUs()
          }
          if (code !== PASS.MORE) return code
        }
      } finally {
        const last = this.#clock.nowUs() - slice
        this.#busyUs += last
        this.#heldUs += last
        segment.account(busy + last, 0, began - scope.startUs, -1)
      }
    })
    return Promise.resolve(segment)
  }

  /** The planner gives this thread no self-scheduled segments. */
  runValues(): Promise<readonly OpenSegment[]> {
    return Promise.reject(commonErrors.INTERNAL({ what: 'Engine thread: got self-scheduled segments.' }))
  }
}

/** Throws `ARENA_CORRUPT` naming the kernel that just ran, when a canary is broken (MW-15). */
function expectGuards(arena: Arena, plan: SegmentPlan, step: number): void {
  const broken = arena.store.brokenBlock(), spec = plan.nodes[step]!.spec
  if (broken === undefined) return
  throw memoryErrors.ARENA_CORRUPT({
    expected: `the canary of block ${broken.handle} (${broken.bytes} bytes from ${broken.address})`,
    got: `a byte written by kernel ${spec.module}.${spec.export} of node ${spec.nodeId}`, offset: broken.at,
  }, { nodeId: spec.nodeId, nodeType: spec.type })
}

/** Runs a pass; turns a negative status or a trap into the coded error. */
function guarded(program: BuiltProgram, pass: () => number): number {
  let code: number
  try { code = pass() } catch (error) { throw isMillraceError(error) ? error : program.trapped(error) }
  if (code < 0) throw program.failed(code)
  return code
}
