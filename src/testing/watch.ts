import { INIT, PORT, PORT_FLAG } from '../kernels/contract.js'
import type { KernelInstance } from '../kernels/kernel-instance.js'
import type { MemoryHost } from '../memory/memory-host.js'

/**
 * Takes note of everything a call may read but not write: Init, Io, ports, params, controls, assets, the shared block. The function it gives is called after the
 * call and names what changed; `done` and the silent flag of outputs, and the beat, are the kernel's own (KE-01).
 */
export function watch(memory: MemoryHost, instance: KernelInstance): () => readonly string[] {
  const { descriptors: d, spec, sharedBytes } = instance
  const shared = memory.u32[(d.init + INIT.SHARED) >>> 2]!
  const before = memory.u8.slice(d.address, d.address + d.bytes)
  const sum = sharedBytes > 0 ? checksum(memory, shared, sharedBytes) : 0
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
      if (((memory.u8[at]! ^ before[at - d.address]!) & ~(PORT_FLAG.SILENT | PORT_FLAG.CONSTANT | PORT_FLAG.SETTLED) & 0xff) !== 0) found.push(`flags of output ${index} were changed`)
    })
    if (sharedBytes > 0 && checksum(memory, shared, sharedBytes) !== sum) found.push('the shared block was written')
    return found.slice(0, 3)
  }
}

/** FNV-1a over words. */
function checksum({ u32 }: MemoryHost, address: number, bytes: number): number {
  let hash = 0x811c9dc5
  for (let at = address >>> 2; at < (address + bytes) >>> 2; at++) hash = Math.imul(hash ^ u32[at]!, 0x01000193)
  return hash >>> 0
}
