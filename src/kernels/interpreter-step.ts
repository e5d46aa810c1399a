import type { Address, MemoryHost } from '../memory/memory-host.js'
import {
  BUFFER, BUFFER_FLAG, BUFFER_KIND, IO, IO_FLAG, PORT, PORT_FLAG, PROGRAM, PROGRAM_FLAG, READER, STATUS, STEP, STEP_MARK, STEP_PHASE,
} from './contract.js'
import {
  bound, consume, follow, has, mark, offsetAddress, roomOf, skipRest, writeOut, writeSilence, type Step,
} from './interpreter-buffers.js'
import { advance, applyDue, describeDriven, drainDriven, inspectDriven, takeDriven } from './interpreter-controls.js'
import { isSilent, leaveOut, settled } from './interpreter-silence.js'
import { carry, word, type KernelCall } from './interpreter-words.js'

/** What the inputs of a step hold. */
interface Held {
  streams: number
  /** Some input may still get frames. */
  live: boolean
  /** An input from outside is empty and has not ended. */
  short: boolean
  frames: number
  /** Once all have ended: the largest remainder. */
  rest: number
}

/** Runs step `index` at most once (the stream rule, KE-14). 0, or the negative status that ends the segment. */
export function runStep(host: MemoryHost, call: KernelCall, program: Address, index: number): number {
  const u32 = host.u32, at = word(u32, program + PROGRAM.STEPS) + index * STEP.BYTES
  const step: Step = {
    host, u32, program, at, inputs: word(u32, at + STEP.INPUTS), outputs: word(u32, at + STEP.OUTPUTS),
    bindings: word(u32, at + STEP.BINDINGS),
  }
  u32[(program + PROGRAM.FAILED_STEP) >>> 2] = index
  const phase = word(u32, at + STEP.PHASE)
  // Feedback goes on coming in while a step flushes.
  if (phase !== STEP_PHASE.RUNNING) drain(step)
  if (phase === STEP_PHASE.ENDED) return 0
  const held = inspect(step)
  let frames = held.frames
  if (held.streams === 0) {
    frames = Math.min(wanted(step, phase), held.frames)
    if (frames < 0) return 0
  }
  if (phase === STEP_PHASE.FLUSHING) return flush(step, call)
  if (frames === 0) {
    if (held.live || held.rest > 0) {
      if (held.short) mark(step, PROGRAM_FLAG.SHORT)
      return 0
    }
    mark(step, PROGRAM_FLAG.MOVED)
    return leave(step) ? flush(step, call) : 0
  }
  return attemptAll(step, call, held, frames)
}

/** Calls as often as changes of controls ask for: a change starts a new call. */
function attemptAll(s: Step, call: KernelCall, held: Held, frames: number): number {
  if (word(s.u32, s.at + STEP.TIMELINE) === 0) return attempt(s, call, held, frames)
  for (let left = frames; left > 0;) {
    const before = word(s.u32, s.at + STEP.POSITION_U64), result = attempt(s, call, held, applyDue(s, left))
    if (result < 0) return result
    const moved = (word(s.u32, s.at + STEP.POSITION_U64) - before) >>> 0
    if (moved === 0 || word(s.u32, s.at + STEP.PHASE) !== STEP_PHASE.RUNNING) break
    left -= Math.min(moved, left)
    held.rest = Math.max(0, held.rest - moved)
  }
  return 0
}

/** Calls `process` with as many of `frames` as the outputs have room for; not at all when it would turn silence into silence (KE-07). */
function attempt(step: Step, call: KernelCall, held: Held, most: number): number {
  const { u32 } = step, marks = step.at + STEP.MARKS
  for (let frames = most; ;) {
    const silent = held.streams > 0 && isSilent(step)
    if (silent && word(u32, marks) === STEP_MARK.QUIET && word(u32, step.at + STEP.TIMELINE) === 0 && leastRoom(step) >= frames) {
      leaveOut(step, frames)
      return 0
    }
    const last = held.streams > 0 && !held.live && frames >= held.rest
    describe(step, frames, last ? IO_FLAG.LAST : 0)
    const result = call(word(u32, step.at + STEP.PROCESS), word(u32, step.at + STEP.STATE), word(u32, step.at + STEP.IO))
    if (result >= 0) {
      const status = apply(step, frames, result, held.streams > 0)
      u32[marks >>> 2] = (word(u32, marks) & ~STEP_MARK.QUIET) | (silent && settled(step) ? STEP_MARK.QUIET : 0)
      return status
    }
    if (result === STATUS.NO_ROOM) {
      if (frames > 1 && held.streams > 0 && leastRoom(step) > 0) { frames >>>= 1; continue }
      blame(step)
      // What it did not take stays where it is.
      mark(step, PROGRAM_FLAG.REST)
      return 0
    }
    if (result !== STATUS.END) return result
    mark(step, PROGRAM_FLAG.MOVED)
    leave(step)
    return 0
  }
}

/** n = min(maxFrames, least available over inputs not ended); when all have ended, the largest remainder. */
function inspect(s: Step): Held {
  let streams = 0, live = false, short = false, rest = 0, outside = false, frames = word(s.u32, s.at + STEP.MAX_FRAMES)
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from === 0) continue
    const kind = word(s.u32, from + BUFFER.KIND), external = kind === BUFFER_KIND.EXTERNAL_INPUT
    if (external) follow(s, from)
    const taken = word(s.u32, offsetAddress(s, from, index)), available = Math.max(0, word(s.u32, from + BUFFER.FILLED) - taken)
    const weak = (word(s.u32, word(s.u32, s.at + STEP.READERS) + index * 4) & READER.WEAK) !== 0
    streams++
    outside ||= external
    // A pre-roll is dropped as it comes.
    if (kind === BUFFER_KIND.INTERNAL && taken > 0 && (available === 0 || s.inputs > 1)) mark(s, PROGRAM_FLAG.REST)
    if (has(s, from, BUFFER_FLAG.ENDED)) rest = Math.max(rest, weak ? 0 : available)
    else {
      live ||= !weak
      short ||= external && available === 0
      frames = Math.min(frames, available)
    }
  }
  if (streams > 0 && !live) frames = Math.min(frames, rest)
  if (outside) frames = Math.min(frames, word(s.u32, s.program + PROGRAM.HEAD_FRAMES))
  const held = { streams, live, short, frames, rest }
  if ((word(s.u32, s.at + STEP.MARKS) & STEP_MARK.DRIVEN) !== 0 && (frames > 0 || streams === 0)) {
    const driven = inspectDriven(s, frames)
    held.live ||= driven.frames === 0
    held.short ||= driven.short
    held.frames = driven.frames
  }
  return held
}

/** Frames to ask of a step without stream inputs: 0 when it is no source; −1 when its output is full. */
function wanted(s: Step, phase: number): number {
  const asked = word(s.u32, s.at + STEP.WANTED)
  if (phase === STEP_PHASE.FLUSHING || asked === 0) return 0
  const room = leastRoom(s)
  if (room === 0) { blame(s); return -1 }
  return Math.min(asked, word(s.u32, s.at + STEP.MAX_FRAMES), room)
}

function leastRoom(s: Step): number {
  let least = 0xffff_ffff
  for (let index = 0; index < s.outputs; index++) {
    const to = bound(s, s.inputs + index)
    if (to !== 0) least = Math.min(least, roomOf(s, to))
  }
  return least
}

/** Marks the pass as held up by an output outside the segment, when emptying one could help. A full internal output only skips the step. */
function blame(s: Step): void {
  for (let index = 0; index < s.outputs; index++) {
    const to = bound(s, s.inputs + index)
    if (to !== 0 && word(s.u32, to + BUFFER.KIND) === BUFFER_KIND.EXTERNAL_OUTPUT && word(s.u32, to + BUFFER.FILLED) > 0) {
      mark(s, PROGRAM_FLAG.FULL)
    }
  }
}

/** All inputs have ended: flush next (true), or end at once (false). */
function leave(s: Step): boolean {
  if (word(s.u32, s.at + STEP.FLUSH) !== 0) {
    s.u32[(s.at + STEP.PHASE) >>> 2] = STEP_PHASE.FLUSHING
    return true
  }
  end(s)
  return false
}

function end(s: Step): void {
  s.u32[(s.at + STEP.PHASE) >>> 2] = STEP_PHASE.ENDED
  for (let index = 0; index < s.outputs; index++) {
    const to = bound(s, s.inputs + index)
    if (to !== 0) s.u32[(to + BUFFER.FLAGS) >>> 2]! |= BUFFER_FLAG.ENDED
  }
}

/** An ended step takes no more, and holds nobody up. */
function drain(s: Step): void {
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from !== 0) skipRest(s, from, offsetAddress(s, from, index))
  }
  drainDriven(s)
}

/** Writes the fields of Io and ports that depend on the call. */
function describe(s: Step, frames: number, flags: number): void {
  const { u32 } = s, io = word(u32, s.at + STEP.IO)
  const realtime = (word(u32, s.program + PROGRAM.FLAGS) & PROGRAM_FLAG.REALTIME) !== 0 ? IO_FLAG.REALTIME : 0
  u32[(io + IO.FRAMES) >>> 2] = frames
  u32[(io + IO.FLAGS) >>> 2] = flags | realtime
  u32[(io + IO.POSITION_U64) >>> 2] = word(u32, s.at + STEP.POSITION_U64)
  u32[(io + IO.POSITION_U64 + 4) >>> 2] = word(u32, s.at + STEP.POSITION_U64 + 4)
  const ports = word(u32, io + IO.PORTS)
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from === 0) continue
    const taken = word(u32, offsetAddress(s, from, index)), available = Math.max(0, word(u32, from + BUFFER.FILLED) - taken)
    let marks = PORT_FLAG.CONNECTED as number
    if (has(s, from, BUFFER_FLAG.SILENT)) marks |= PORT_FLAG.SILENT
    if (has(s, from, BUFFER_FLAG.ENDED) && available <= frames) marks |= PORT_FLAG.ENDED
    writeOut(s, from)
    describePort(
      s, ports + index * PORT.BYTES, Math.min(available, frames), from, taken, marks, word(u32, word(u32, s.at + STEP.READERS) + index * 4),
    )
  }
  describeDriven(s, frames)
  for (let index = s.inputs; index < s.inputs + s.outputs; index++) {
    const port = ports + index * PORT.BYTES, to = bound(s, index)
    u32[(port + PORT.DONE) >>> 2] = 0
    if (to === 0) continue
    writeOut(s, to)
    describePort(s, port, roomOf(s, to), to, word(u32, to + BUFFER.FILLED), PORT_FLAG.CONNECTED, 0)
  }
}

/** `view`: the reader word, which may name some of the channels. */
function describePort(s: Step, port: Address, frames: number, buffer: Address, frame: number, flags: number, view: number): void {
  const stride = word(s.u32, buffer + BUFFER.STRIDE), first = (view >>> READER.CHANNEL_SHIFT) & READER.CHANNEL_MASK
  s.u32[(port + PORT.FRAMES) >>> 2] = frames
  s.u32[(port + PORT.DATA) >>> 2] = word(s.u32, buffer + BUFFER.BASE) + frame * word(s.u32, buffer + BUFFER.FRAME_BYTES) + first * stride
  s.u32[(port + PORT.STRIDE) >>> 2] = view >>> READER.DOWNWARDS_SHIFT === 0 ? stride : -stride
  s.host.u16[(port + PORT.FLAGS_U16) >>> 1] = flags
}

/** Moves the offsets of what was taken and the ends of what was written. */
function apply(s: Step, frames: number, result: number, hasInput: boolean): number {
  const { u32 } = s, ports = word(u32, word(u32, s.at + STEP.IO) + IO.PORTS)
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from === 0) continue
    consume(s, from, offsetAddress(s, from, index), word(u32, ports + index * PORT.BYTES + PORT.FRAMES))
  }
  const produced = collect(s, ports, result)
  if (produced < 0) return produced
  const moved = hasInput ? frames : result
  takeDriven(s, moved)
  advance(s, moved)
  carry(u32, s.at + STEP.POSITION_U64, moved)
  mark(s, moved > 0 || produced > 0 ? PROGRAM_FLAG.MOVED : PROGRAM_FLAG.SHORT)
  return 0
}

/** One flush call; 0 frames everywhere ends the step. Not while a connected output has no room at all: that would look like the end. */
function flush(s: Step, call: KernelCall): number {
  if (leastRoom(s) === 0) { blame(s); return 0 }
  describe(s, 0, IO_FLAG.LAST)
  const result = call(word(s.u32, s.at + STEP.FLUSH), word(s.u32, s.at + STEP.STATE), word(s.u32, s.at + STEP.IO))
  if (result === STATUS.NO_ROOM) { blame(s); return 0 }
  if (result < 0 && result !== STATUS.END) return result
  const produced = collect(s, word(s.u32, word(s.u32, s.at + STEP.IO) + IO.PORTS), Math.max(0, result))
  if (produced < 0) return produced
  mark(s, PROGRAM_FLAG.MOVED)
  if (result <= 0 && produced === 0) end(s)
  return 0
}

/**
 * Adds what a call produced to the output buffers: 1 when any output got frames, else 0; `BAD_STATE`
 * when the kernel claims more than its room.
 */
function collect(s: Step, ports: Address, result: number): number {
  const { u32 } = s
  let any = 0
  for (let index = 0; index < s.outputs; index++) {
    const port = ports + (s.inputs + index) * PORT.BYTES
    const produced = index === 0 ? result : word(u32, port + PORT.DONE)
    if (produced > 0) any = 1
    const to = bound(s, s.inputs + index)
    if (to === 0 || produced === 0) continue
    if (produced > roomOf(s, to)) return STATUS.BAD_STATE
    const silent = (s.host.u16[(port + PORT.FLAGS_U16) >>> 1]! & PORT_FLAG.SILENT) !== 0
    const filled = word(u32, to + BUFFER.FILLED)
    const stays = silent && (filled === 0 || has(s, to, BUFFER_FLAG.SILENT))
    u32[(to + BUFFER.FLAGS) >>> 2] = (word(u32, to + BUFFER.FLAGS) & ~BUFFER_FLAG.SILENT) | (stays ? BUFFER_FLAG.SILENT : 0)
    u32[(to + BUFFER.FILLED) >>> 2] = filled + produced
    const zeros = Math.min(word(u32, to + BUFFER.PREROLL), produced)
    if (zeros > 0) writeSilence(s, to, filled, zeros)
    u32[(to + BUFFER.PREROLL) >>> 2]! -= zeros
  }
  return any
}
