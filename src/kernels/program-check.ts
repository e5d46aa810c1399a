import { commonErrors } from '../errors/common-errors.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { CHECK, PROGRAM } from './contract.js'
import type { CoreExports } from './runtime.js'

/**
 * Checks every address of a program against the arena, once before its first call (KE-13): the interpreter itself trusts it. Throws
 * `INTERNAL` naming the finding and the step or buffer: a program that fails was built wrongly.
 */
export function expectProgram(
  core: Pick<CoreExports, 'segment_check'>, host: Pick<MemoryHost, 'u32' | 'buffer'>, program: Address, low: Address,
): void {
  const finding = core.segment_check(program, low, host.buffer.byteLength % 2 ** 32)
  if (finding === CHECK.OK) return
  const name = Object.entries(CHECK).find(([, value]) => value === finding)?.[0] ?? String(finding)
  throw commonErrors.INTERNAL({
    what: `program at 0x${program.toString(16)}: ${name} of record ${host.u32[(program + PROGRAM.FAILED_STEP) >>> 2]}`,
  })
}
