import type { Address } from '../memory/memory-host.js'
import { BUFFER, BUFFER_FLAG, BUFFER_KIND, CHANGE, CONTROL, IO, PROGRAM_FLAG, STEP, TIMELINE } from './contract.js'
import { bound, consume, follow, has, mark, offsetAddress, skipRest, writeOut, type Step } from './interpreter-buffers.js'
import { word } from './interpreter-words.js'

/** Longest ramp, so that its begin stays a signed word. */
const LONGEST = 0x7fff_ffff

/**
 * Lets the changes of controls that are due take effect (KE-15); the frames that may pass before the next one, at most `frames`. Calls are
 * cut at changes, so a call has at most one ramp per control, and its begin moves with the calls: a ramp is a pure function of absolute
 * time.
 */
export function applyDue(s: Step, frames: number): number {
  const { u32, host } = s, line = word(u32, s.at + STEP.TIMELINE)
  if (line === 0) return frames
  const position = word(u32, s.at + STEP.POSITION_U64) + word(u32, s.at + STEP.POSITION_U64 + 4) * 2 ** 32
  for (;;) {
    const next = word(u32, line + TIMELINE.NEXT)
    if (next === Atomics.load(u32, (line + TIMELINE.COUNT) >>> 2)) return frames
    const of = line + TIMELINE.BYTES + next % word(u32, line + TIMELINE.CAPACITY) * CHANGE.BYTES
    const at = word(u32, of + CHANGE.AT_U64) + word(u32, of + CHANGE.AT_U64 + 4) * 2 ** 32
    if (at > position) return Math.min(at - position, frames)
    if (at < position) u32[(line + TIMELINE.LATE) >>> 2]!++
    const index = word(u32, of + CHANGE.CONTROL)
    if (index < word(u32, line + TIMELINE.CONTROLS)) {
      start(s, recordOf(s, index), host.f32[(of + CHANGE.VALUE_F32) >>> 2]!, word(u32, of + CHANGE.RAMP))
    }
    u32[(line + TIMELINE.NEXT) >>> 2] = next + 1
  }
}

/** From the next call's first frame on: from what the control is then to `to`. */
function start({ host: { f32, i32, u32 } }: Step, record: Address, to: number, ramp: number): void {
  f32[(record + CONTROL.FROM_F32) >>> 2] = ramp === 0 ? to : valueOf(f32, i32, u32, record)
  f32[(record + CONTROL.TO_F32) >>> 2] = to
  i32[(record + CONTROL.BEGIN_I32) >>> 2] = 0
  u32[(record + CONTROL.LENGTH) >>> 2] = Math.min(ramp, LONGEST)
}

/** Value of a control at the next call's first frame. */
function valueOf(f32: Float32Array, i32: Int32Array, u32: Uint32Array, record: Address): number {
  const from = f32[(record + CONTROL.FROM_F32) >>> 2]!, to = f32[(record + CONTROL.TO_F32) >>> 2]!
  const length = word(u32, record + CONTROL.LENGTH), t = -i32[(record + CONTROL.BEGIN_I32) >>> 2]!
  return length === 0 || t >= length ? to : t <= 0 ? from : Math.fround(from + (to - from) * (t / length))
}

/** `frames` have passed: ramps go on, those that have ended are constants. */
export function advance(s: Step, frames: number): void {
  const { f32, i32, u32 } = s.host, line = word(u32, s.at + STEP.TIMELINE)
  if (line === 0) return
  for (let index = 0; index < word(u32, line + TIMELINE.CONTROLS); index++) {
    const record = recordOf(s, index), length = word(u32, record + CONTROL.LENGTH)
    if (length === 0) continue
    const begin = i32[(record + CONTROL.BEGIN_I32) >>> 2]! - frames, ended = begin + length <= 0
    i32[(record + CONTROL.BEGIN_I32) >>> 2] = ended ? 0 : begin
    if (!ended) continue
    f32[(record + CONTROL.FROM_F32) >>> 2] = f32[(record + CONTROL.TO_F32) >>> 2]!
    u32[(record + CONTROL.LENGTH) >>> 2] = 0
  }
}

function recordOf(s: Step, index: number): Address { return word(s.u32, word(s.u32, s.at + STEP.IO) + IO.CONTROLS) + index * CONTROL.BYTES }

/** How many frames the streams of driven controls allow, at most `frames`. An ended stream allows any number: its last value holds. */
export function inspectDriven(s: Step, frames: number): { readonly frames: number; readonly short: boolean } {
  let most = frames, short = false
  each(s, (from, at) => {
    const external = word(s.u32, from + BUFFER.KIND) === BUFFER_KIND.EXTERNAL_INPUT
    if (external) follow(s, from)
    const taken = word(s.u32, at), available = Math.max(0, word(s.u32, from + BUFFER.FILLED) - taken)
    if (!external && taken > 0) mark(s, PROGRAM_FLAG.REST)
    if (available === 0 && has(s, from, BUFFER_FLAG.ENDED)) return
    most = Math.min(most, available)
    short ||= external && available === 0
  })
  return { frames: most, short }
}

/** Points the records at their streams for a call of `frames` frames. */
export function describeDriven(s: Step, frames: number): void {
  each(s, (from, at, record) => {
    const taken = word(s.u32, at), some = frames > 0 && word(s.u32, from + BUFFER.FILLED) > taken
    if (some) writeOut(s, from)
    if (some) s.u32[(record + CONTROL.DRIVEN) >>> 2] = 1
    s.u32[(record + CONTROL.STREAM) >>> 2] = some ? word(s.u32, from + BUFFER.BASE) + taken * word(s.u32, from + BUFFER.FRAME_BYTES) : 0
  })
}

/** `frames` have been taken of every stream; each control keeps its last value. */
export function takeDriven(s: Step, frames: number): void {
  const { f32 } = s.host
  each(s, (from, at, record) => {
    const stream = word(s.u32, record + CONTROL.STREAM)
    if (stream === 0 || frames === 0) return
    f32[(record + CONTROL.FROM_F32) >>> 2] = f32[(record + CONTROL.TO_F32) >>> 2] = f32[(stream >>> 2) + frames - 1]!
    consume(s, from, at, frames)
  })
}

/** Nothing more is taken of the streams: they hold nobody up. */
export function drainDriven(s: Step): void { each(s, (from, at) => { skipRest(s, from, at) }) }

/** Buffer, address of the frames taken of it, and control record of every driven control. */
function each(s: Step, visit: (from: Address, at: Address, record: Address) => void): void {
  const count = word(s.u32, s.at + STEP.DRIVEN), numbers = word(s.u32, s.at + STEP.READERS) + (s.inputs + count) * 4
  for (let k = 0; k < count; k++) {
    const from = bound(s, s.inputs + s.outputs + k)
    if (from !== 0) visit(from, offsetAddress(s, from, s.inputs + k), recordOf(s, word(s.u32, numbers + k * 4)))
  }
}
