import { difference } from '../compare.js'
import { noise } from '../signals.js'
import type { RunPlan, RunResult } from '../stream-run.js'
import type { Subject } from '../subject.js'

/** Frames of the largest call that the engine makes, and of a signal of two of them. */
const BLOCK = 4_096, FRAMES = 2 * BLOCK
/**
 * A place in a stream beyond 2³²: whole seconds of the common rates, and a multiple of 2¹⁴, so that no
 * node has a cause to count differently there.
 */
const FAR_START = 4_515_840_000
/** Part of an output's level by which it may differ far from the start of a stream: dither is drawn anew there. */
const DRAWN_ANEW = 0.05

/** Calls as large as the engine's, a reset after them (KE-03), and the same far from the stream's start. */
export function checkLarge(subject: Subject): void {
  const { log, kase } = subject, signal = subject.signal(noise(17), FRAMES), small = subject.chunking(2, FRAMES), blocks = [BLOCK, BLOCK]
  const run = (check: 'chunking' | 'reset' | 'position', plan: RunPlan, like: RunResult | null, what: string): RunResult | null => {
    if (log.failed(check)) return null
    const result = subject.run(check, signal, plan, what)
    if (result.faults.length > 0) return null
    const where = like === null ? null : difference(like, result, kase.outputs)
    if (where !== null) subject.fault(check, `${what}: differs at ${where}`)
    return result
  }
  const near = run('chunking', { chunks: blocks }, null, `calls of ${BLOCK} frames`)
  if (near === null) return
  run('chunking', { chunks: small }, near, `small calls against calls of ${BLOCK} frames`)
  if (subject.onlyHere) run('chunking', { chunks: [FRAMES] }, near, `a call of ${FRAMES} frames`)
  run('reset', { chunks: blocks, resetAt: FRAMES }, near, `reset after ${FRAMES} frames`)
  const far = run('position', { chunks: blocks, start: FAR_START }, null, `from frame ${FAR_START}`)
  if (far === null) return
  if (subject.onlyHere) run('position', { chunks: small, start: FAR_START }, far, `small calls from frame ${FAR_START}`)
  kase.spec(1).outputs.forEach((port, index) => {
    const a = near.tracks[index]!, b = far.tracks[index]!
    // Events tell times, which are others there.
    if (port.dtype === 'event') return
    const share = a.frames === b.frames ? deviation(a.channels, b.channels) : Infinity
    if (!(share <= DRAWN_ANEW)) subject.fault('position', `output ${port.name}, from frame ${FAR_START}: ${b.frames} frames that differ from the ${a.frames} from frame 0 by ${share} of their level`)
  })
  log.note('position', `${FRAMES} frames from frame ${FAR_START}`)
}

/** RMS of the difference ÷ RMS of the first; where both are NaN or infinite alike they do not differ. */
function deviation(a: RunResult['tracks'][number]['channels'], b: typeof a): number {
  let level = 0, error = 0
  a.forEach((samples, c) => samples.forEach((value, i) => {
    const other = b[c]![i]!
    if (Object.is(value, other) && !Number.isFinite(value)) return
    level += value * value
    error += (value - other) ** 2
  }))
  return error === 0 ? 0 : Math.sqrt(error / level)
}
