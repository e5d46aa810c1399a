import { PORT, PORT_FLAG } from '../../kernels/contract.js'
import { KernelInstance } from '../../kernels/kernel-instance.js'
import { PortRoom } from '../port-room.js'
import type { Subject } from '../subject.js'

/** Frames of a call, and calls with silence after sound in which a kernel may come to rest. */
const FRAMES = 128, PATIENCE = 256

/**
 * A kernel that says it is settled is not called for silence any more (KE-07): from then on silence must give silence of equal length, and
 * change nothing in the state but the count of calls. Saying nothing is no fault.
 */
export function checkSettled(subject: Subject): void {
  const { host, kase } = subject, spec = kase.spec(FRAMES), memory = host.memory
  if (!host.compiled || spec.inputs.every((port) => !port.connected)) return
  const instance = new KernelInstance(host.code(spec, kase.parts), spec, memory, { shared: host.tables })
  const inputs = spec.inputs.map((port) => new PortRoom(memory, port, port.connected ? FRAMES : 0))
  const outputs = spec.outputs.map((port) => new PortRoom(memory, port, port.connected ? 64 * FRAMES : 0))
  const quiet = subject.signal(() => 0, FRAMES)
  let position = 0
  const call = (frames: number, sound: boolean): number => {
    inputs.forEach((room, n) => {
      if (!spec.inputs[n]!.connected) return
      room.fill((sound ? subject.noise : quiet).inputs[n]!, sound ? position : 0, 0, frames)
      instance.setInput(n, { ...room.bytes(0, frames), silent: !sound })
    })
    outputs.forEach((room, n) => {
      if (!spec.outputs[n]!.connected) return
      room.clear(0, 64 * FRAMES)
      instance.setOutput(n, room.bytes(0, 64 * FRAMES))
    })
    const result = instance.process(frames, position)
    position += frames
    return result
  }
  const connected = spec.outputs.flatMap((port, n) => port.connected ? [n] : [])
  const settled = (): boolean => connected.length > 0 && connected.every((n) =>
    (memory.u16[(instance.outputPort(n) + PORT.FLAGS_U16) >>> 1]! & (PORT_FLAG.SILENT | PORT_FLAG.SETTLED))
      === (PORT_FLAG.SILENT | PORT_FLAG.SETTLED))
  try {
    for (let n = 0; n < 2; n++) if (call(FRAMES, true) < 0) return
    let left = PATIENCE
    while (left > 0 && call(FRAMES, false) >= 0 && !settled()) left--
    if (!settled()) return
    const before = memory.u8.slice(instance.state + 4, instance.state + instance.stateBytes)
    for (const frames of [1, FRAMES, 77]) {
      const result = call(frames, false), kept = memory.u8.subarray(instance.state + 4, instance.state + instance.stateBytes)
      const zero = connected.every((n) => Array.from({ length: spec.outputs[n]!.channels }, (_, c) => c)
        .every((c) => outputs[n]!.isZero(c, 0, instance.done(n))))
      if (result !== frames || connected.some((n) => instance.done(n) !== frames) || !zero) {
        subject.fault('silence', `said that it is settled, and then gave ${result} frames that are not all zero for ${frames} of silence`)
      }
      if (!before.every((byte, i) => byte === kept[i])) {
        subject.fault('silence', 'said that it is settled, and its state changed with silence')
      }
    }
  } finally {
    instance.close()
    for (const room of [...inputs, ...outputs]) room.close()
  }
}
