import type { ControlCourse } from '../../kernels/kernel-instance.js'
import { difference } from '../compare.js'
import type { CheckName } from '../findings.js'
import { noise } from '../signals.js'
import type { Part } from '../part.js'
import type { RunPlan } from '../stream-run.js'
import type { Subject } from '../subject.js'

/** Offsets, in frames, at which the data of a call may begin. */
const OFFSETS = 16

/** Tells where a run in another manner differs from the run in one call. */
function compare(subject: Subject, check: CheckName, plan: RunPlan, what: string): void {
  if (subject.log.failed(check)) return
  const run = subject.run(check, subject.noise, plan, what)
  if (run.faults.length > 0) return
  const where = difference(subject.whole, run, subject.kase.outputs)
  if (where !== null) subject.fault(check, `${what}: differs from one call at ${where}`)
}

/** Random splits of the input, ones and empty calls, every start offset (KE-03). */
export function checkChunking(subject: Subject, chunkings: number, part: Part): void {
  compare(subject, 'chunking', { chunks: new Array<number>(subject.frames).fill(1) }, 'one frame a call')
  compare(subject, 'chunking', { chunks: [0, subject.frames, 0], ended: true }, 'empty calls around one call')
  for (let n = 0; n < chunkings && !subject.log.failed('chunking'); n++) {
    const seed = part.first + n * part.of
    compare(
      subject, 'chunking',
      { chunks: subject.chunking(seed), offset: seed % OFFSETS, ended: seed % 3 === 0, watch: n < 8 },
      `chunking ${seed}`,
    )
  }
  subject.log.note('chunking', `${chunkings} random chunkings, 1-frame and empty calls`)
  for (let offset = part.first; offset < OFFSETS; offset += subject.onlyHere ? part.of : 4) {
    compare(subject, 'offsets', { chunks: subject.chunking(3 + 4 * offset), offset }, `data ${offset} frames off`)
  }
  subject.log.note('offsets', `start offsets 0 to ${OFFSETS - 1}`)
}

/** State moved after every call, and through a snapshot into a new instance (KE-02, KE-25). */
export function checkState(subject: Subject): void {
  for (const seed of [3, 7, 11]) {
    compare(subject, 'moved-state', { chunks: subject.chunking(seed), move: true }, 'state moved after every call')
    compare(subject, 'snapshot', { chunks: subject.chunking(seed), snapshot: true, offset: seed }, 'snapshot into a new instance')
  }
  subject.log.note('moved-state', 'state moved after every call of 3 chunkings')
  subject.log.note('snapshot', 'up to 4 snapshots in each of 3 chunkings')
}

/** A state that was used and reset gives what a new one gives. */
export function checkReset(subject: Subject): void {
  for (const resetAt of [1, 97, subject.frames]) {
    compare(subject, 'reset', { chunks: subject.chunking(resetAt), resetAt }, `reset after ${resetAt} frames`)
  }
  subject.log.note('reset', `reset after 1, 97 and ${subject.frames} frames`)
}

/** Flush in small rooms gives the same as in a large one. */
export function checkFlush(subject: Subject): void {
  if (!subject.kase.spec(1).flush) return subject.log.note('flush', 'the node has none')
  for (const flushRoom of [1, 7]) compare(subject, 'flush', { chunks: [subject.frames], flushRoom }, `${flushRoom} frames of room`)
  subject.log.note('flush', 'rooms of 1, 7 and 256 frames; it ends')
}

/** Ports that may share a buffer do so without harm (KE-04). */
export function checkInPlace(subject: Subject): void {
  const pairs = subject.kase.definition.kernel?.inPlace ?? []
  const spec = subject.kase.spec(1)
  for (const pair of pairs) {
    if (!spec.inputs[pair[0]]?.connected || !spec.outputs[pair[1]]?.connected) continue
    for (const seed of [2, 3, 5]) {
      compare(subject, 'in-place', { chunks: subject.chunking(seed), inPlace: pair, offset: seed }, `input ${pair[0]} is output ${pair[1]}`)
    }
  }
  subject.log.note('in-place', pairs.length === 0 ? 'the node declares none' : `${pairs.length} pairs`)
}

/** Too little room is refused and changes nothing; an output that nothing reads changes no other. */
export function checkRooms(subject: Subject): void {
  const spec = subject.kase.spec(1)
  spec.outputs.forEach((port, index) => {
    if (port.connected) for (const seed of [1, 3]) {
      compare(subject, 'no-room', { chunks: subject.chunking(seed), tight: index }, `output ${port.name} one frame short`)
    }
    if (subject.log.failed('unconnected')) return
    const run = subject.run('unconnected', subject.noise, { chunks: subject.chunking(5), without: port.name }, `output ${port.name} unread`)
    const rest = { ...run, tracks: run.tracks.map((track, n) => n === index ? subject.whole.tracks[n]! : track) }
    const where = run.faults.length > 0 ? null : difference(subject.whole, rest, subject.kase.outputs)
    if (where !== null) subject.fault('unconnected', `output ${port.name} unread: ${where}`)
  })
  subject.log.note('no-room', 'each output one frame short, then the same call again')
  subject.log.note('unconnected', 'each output unread in turn')
}

/** Ramps of controls are functions of absolute time: chunks see the same bits (KE-15). */
export function checkControls(subject: Subject, chunkings: number): void {
  const { controls } = subject.kase.spec(1)
  if (controls.length === 0) return subject.log.note('controls', 'the node has none')
  const signal = subject.signal(noise(9))
  for (let round = 0; round < 3 && !subject.log.failed('controls'); round++) {
    const courses = new Map<number, ControlCourse>(controls.map((value, index) => [index, {
      from: value, to: round === 2 ? Number.NaN : value * 0.25 + 0.125, begin: 13 + 31 * index + 7 * round, length: round === 0 ? 200 : 0,
    }]))
    const whole = subject.run('controls', signal, { chunks: [subject.frames], controls: courses }, 'ramps')
    for (let seed = 0; seed < chunkings && !subject.log.failed('controls'); seed++) {
      const run = subject.run('controls', signal, { chunks: subject.chunking(seed), controls: courses, offset: seed % OFFSETS }, 'ramps')
      const where = difference(whole, run, subject.kase.outputs)
      if (where !== null) subject.fault('controls', `chunking ${seed} of a ramp differs at ${where}`)
    }
  }
  subject.log.note('controls', `ramp, step and NaN on ${controls.length} controls in ${chunkings} chunkings each`)
}
