import { PASS, STEP } from '../kernels/contract.js'

/** The two ways to execute a program: compiled (`segment_run`, `segment_step` of the core) or the TypeScript twin. */
export interface SegmentInterpreter {
  /** One pass; a `PASS` value or a negative status. */
  run(program: number, thread: number): number
  /** One step of a pass: 0 begins it, the last one ends it; `MORE` between. */
  step(program: number, thread: number, index: number): number
}

/** Every how many passes the steps are timed one by one. */
const SAMPLE_EVERY = 64

/**
 * One pass; every 64th (and the second, for short runs) step by step, with the nanoseconds of each step added to its record: what the
 * metrics divide a segment's time by. `steps`: address of the first step record; `count` of them.
 */
export function onePass(
  interpreter: SegmentInterpreter, program: number, thread: number, pass: number, steps: number, count: number, u32: Uint32Array,
  nowUs: () => number,
): number {
  if (pass % SAMPLE_EVERY !== 1 || count < 2) return interpreter.run(program, thread)
  let before = nowUs()
  for (let i = 0; i < count; i++) {
    const code = interpreter.step(program, thread, i), after = nowUs(), at = (steps + i * STEP.BYTES + STEP.SAMPLE_NS) >>> 2
    u32[at] = Math.min(u32[at]! + (after - before) * 1000, 0xffffffff)
    before = after
    if (code !== PASS.MORE || i === count - 1) return code
  }
  return PASS.MORE
}

/** One pass step by step, with `check` after each step (`debugMemory`). */
export function checkedPass(
  interpreter: SegmentInterpreter, program: number, thread: number, count: number, check: (step: number) => void,
): number {
  for (let i = 0; ; i++) {
    const code = interpreter.step(program, thread, i)
    check(i)
    if (code !== PASS.MORE || i === count - 1) return code
  }
}
