import type { Address } from '../memory/memory-host.js'
import { BUFFER, BUFFER_FLAG, BUFFER_KIND, IO, PORT, PORT_FLAG, PROGRAM_FLAG, STEP } from './contract.js'
import { bound, consume, has, mark, offsetAddress, writeSilence, type Step } from './interpreter-buffers.js'
import { carry, word } from './interpreter-words.js'

/** Every connected input has nothing but silence. */
export function isSilent(s: Step): boolean {
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from !== 0 && !has(s, from, BUFFER_FLAG.SILENT) && word(s.u32, offsetAddress(s, from, index)) < word(s.u32, from + BUFFER.FILLED)) {
      return false
    }
  }
  return true
}

/** The last call said of every connected output that it was silent and will stay so. */
export function settled(s: Step): boolean {
  const ports = word(s.u32, word(s.u32, s.at + STEP.IO) + IO.PORTS), wanted = PORT_FLAG.SILENT | PORT_FLAG.SETTLED
  let any = false
  for (let index = 0; index < s.outputs; index++) {
    const said = s.host.u16[(ports + (s.inputs + index) * PORT.BYTES + PORT.FLAGS_U16) >>> 1]!
    if ((said & PORT_FLAG.CONNECTED) === 0) continue
    if ((said & wanted) !== wanted) return false
    any = true
  }
  return any
}

/** A call that would turn silence into silence: only the counts move. */
export function leaveOut(s: Step, frames: number): void {
  for (let index = 0; index < s.inputs; index++) {
    const from = bound(s, index)
    if (from === 0) continue
    const at = offsetAddress(s, from, index)
    consume(s, from, at, Math.min(frames, Math.max(0, word(s.u32, from + BUFFER.FILLED) - word(s.u32, at))))
  }
  for (let index = 0; index < s.outputs; index++) {
    const to = bound(s, s.inputs + index)
    if (to !== 0) addSilence(s, to, frames)
  }
  carry(s.u32, s.at + STEP.POSITION_U64, frames)
  mark(s, PROGRAM_FLAG.MOVED)
}

/** `frames` of silence at the end of a buffer. Inside the segment they stand nowhere until a kernel wants to read them. */
function addSilence(s: Step, to: Address, frames: number): void {
  const { u32 } = s, filled = word(u32, to + BUFFER.FILLED), flags = (to + BUFFER.FLAGS) >>> 2
  u32[(to + BUFFER.FILLED) >>> 2] = filled + frames
  if (word(u32, to + BUFFER.KIND) === BUFFER_KIND.INTERNAL && (filled === 0 || has(s, to, BUFFER_FLAG.UNWRITTEN))) {
    u32[flags]! |= BUFFER_FLAG.SILENT | BUFFER_FLAG.UNWRITTEN
    return
  }
  writeSilence(s, to, filled, frames)
  if (filled === 0) u32[flags]! |= BUFFER_FLAG.SILENT
}
