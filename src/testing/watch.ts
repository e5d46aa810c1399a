import { INIT, PORT, PORT_FLAG } from '../kernels/contract.js'
import type { KernelInstance } from '../kernels/kernel-instance.js'
import type { MemoryHost } from '../memory/memory-host.js'

/**
 * Takes note of everything a call may read but not write: Init, Io, ports, params, controls, assets. The function it gives is called after
 * the call and names what changed; `done` and the silent flag of outputs, and the beat, are the kernel's own (KE-01).
 */
export function watch(memory: MemoryHost, instance: KernelInstance): () => readonly string[] {
  const { descriptors: d, spec } = instance
  const before = memory.u8.slice(d.address, d.address + d.bytes)
  const allowed = new Set<number>()
  for (let i = 0; i < 4; i++) allowed.add(d.beat - d.address + i)
  spec.outputs.forEach((_, index) => {
    const port = instance.outputPort(index) - d.address
    for (let i = 0; i < 4; i++) allowed.add(port + PORT.DONE + i)
    allowed.add(port + PORT.FLAGS_U16)
  })
  return () => {
    const found: string[] = []
    before.forEach((byte, at) => {
      if (memory.u8[d.address + at] !== byte && !allowed.has(at)) found.push(`byte ${at} of the descriptors was written`)
    })
    spec.outputs.forEach((_, index) => {
      const at = instance.outputPort(index) + PORT.FLAGS_U16
      if (((memory.u8[at]! ^ before[at - d.address]!) & ~(PORT_FLAG.SILENT | PORT_FLAG.CONSTANT | PORT_FLAG.SETTLED) & 0xff) !== 0) {
        found.push(`flags of output ${index} were changed`)
      }
    })
    return found.slice(0, 3)
  }
}

/** FNV-1a over the words of the block that instances share: it may be large, so it is looked at once a run, not once a call. */
export function sharedSum({ u32 }: MemoryHost, { descriptors, sharedBytes }: KernelInstance): number {
  const address = sharedBytes > 0 ? u32[(descriptors.init + INIT.SHARED) >>> 2]! : 0
  let hash = 0x811c9dc5
  for (let at = address >>> 2; at < (address + sharedBytes) >>> 2; at++) hash = Math.imul(hash ^ u32[at]!, 0x01000193)
  return hash >>> 0
}
