import { WINDOW } from '../memory/layout.js'
import { scanCode } from './code-scan.js'
import { kernelErrors } from './errors.js'
import { moduleFacts, type DataSegment, type ModuleFacts } from './module-facts.js'
import { MalformedModule } from './module-reader.js'
import type { CoreExports } from './runtime.js'

/** Where a module's static data may stand, and what it may import. */
export type ModuleRole = 'core' | 'assembly' | 'user'
/** A kernel that node definitions name in a module. */
export interface DeclaredKernel { readonly export: string; readonly flush?: boolean; readonly shared?: boolean }
export interface ModuleCheck { readonly name: string; readonly role: ModuleRole; readonly kernels?: readonly DeclaredKernel[] }

const PAGE = 65_536
/** What only the core has. */
export const CORE_FUNCTIONS = [
  'segment_run', 'segment_step', 'segment_check', 'queue_init', 'queue_push', 'queue_pop', 'queue_quiet', 'task_take', 'task_finish',
  'task_push', 'graph_order', 'graph_cycles', 'graph_hash', 'alloc_donate', 'alloc_count', 'alloc_used', '__wbindgen_start',
  '__wbindgen_thread_destroy',
] as const satisfies readonly (keyof CoreExports | '__wbindgen_start' | '__wbindgen_thread_destroy')[]
/** Windows of the address space by role: [start, end). */
const WINDOWS: Readonly<Record<ModuleRole, readonly [number, number]>> = {
  core: [WINDOW.CORE, WINDOW.CORE_END],
  assembly: [WINDOW.ASSEMBLY, WINDOW.ASSEMBLY + WINDOW.ASSEMBLY_SLOTS * WINDOW.ASSEMBLY_SLOT],
  user: [WINDOW.USER, WINDOW.GUARD],
}

/**
 * Refuses a module that does not keep the contract (KE-21, MW-65, PK-23, PK-27, PK-29): anything but one memory import (and the core's
 * table), data outside its window, a start function, instructions beyond the baseline, missing exports. Throws `KERNEL_ABI` naming the
 * finding. Users' code is walked instruction by instruction; the shipped modules are walked in the tests. < 5 ms for 20 KB. Gives the data
 * segments, for {@link checkOverlap}.
 */
export function checkModule(bytes: Uint8Array, check: ModuleCheck): readonly DataSegment[] {
  let facts: ModuleFacts
  try {
    facts = moduleFacts(bytes)
  } catch (error) {
    if (!(error instanceof MalformedModule)) throw error
    throw refuse(check, 'bytes', 'a WebAssembly module', error.message)
  }
  checkImports(facts, check)
  checkWindows(facts, check)
  if (facts.hasStart) throw refuse(check, 'start function', 'none (the loader starts modules itself)', 'one')
  if (facts.hasTags) throw refuse(check, 'features', 'the baseline', 'exception tags')
  checkExports(new Set(facts.exports.filter((one) => one.kind === 0).map((one) => one.name)), check)
  if (check.role === 'user') checkCode(bytes, facts, check)
  return facts.data
}

/** Two modules that write the same bytes corrupt each other (MW-65). Throws `KERNEL_ABI`. */
export function checkOverlap(modules: readonly { readonly name: string; readonly data: readonly DataSegment[] }[]): void {
  const spans = modules.flatMap(({ name, data }) => data.filter((d) => d.start >= 0 && d.bytes > 0)
    .map((d) => ({ name, start: d.start, end: d.start + d.bytes })))
  spans.sort((a, b) => a.start - b.start)
  for (let i = 1; i < spans.length; i++) {
    const before = spans[i - 1]!, now = spans[i]!
    if (now.start >= before.end || now.name === before.name) continue
    throw kernelErrors.KERNEL_ABI({
      module: now.name, what: 'data segments', expected: `a slot of its own (another --memoryBase)`,
      got: `${range(now)}, which overlaps ${before.name} at ${range(before)}`,
    })
  }
}

function checkImports(facts: ModuleFacts, check: ModuleCheck): void {
  const memories = facts.imports.filter((one) => one.kind === 2), others = facts.imports.filter((one) => one.kind !== 2)
  if (memories.length !== 1) throw refuse(check, 'imports', 'exactly one memory (--importMemory)', `${memories.length} memories`)
  const stray = others.find((one) =>
    !(check.role === 'core' && one.kind === 1 && one.module === 'env' && one.name === '__indirect_function_table'))
  if (stray !== undefined) {
    throw refuse(check, 'imports', 'nothing but the memory', `${KINDS[stray.kind] ?? 'import'} ${stray.module}.${stray.name}`)
  }
  if (facts.ownMemories > 0) throw refuse(check, 'memories', 'only the imported one', `${facts.ownMemories} of its own`)
  const memory = facts.memory!
  if (memory.memory64) throw refuse(check, 'features', 'the baseline', '64-bit memory')
  if (!memory.shared || memory.maximum !== 65_536) {
    throw refuse(check, 'imported memory', 'shared, maximum 65536 pages (--sharedMemory --maximumMemory 65536)',
      `${memory.shared ? 'shared' : 'unshared'}, maximum ${memory.maximum ?? 'none'}`)
  }
}

function checkWindows(facts: ModuleFacts, check: ModuleCheck): void {
  const [start, end] = WINDOWS[check.role]
  if (facts.computedData > 0) throw refuse(check, 'data segments', 'constant addresses', 'a computed one')
  for (const segment of facts.data) {
    if (segment.bytes === 0 || (segment.start < 0 && check.role === 'core')) continue
    if (segment.start < 0) throw refuse(check, 'data segments', 'active ones, whose place can be checked', 'a passive one')
    const span = { start: segment.start, end: segment.start + segment.bytes }
    if (span.start < start || span.end > end) throw refuse(check, 'data segments', `${range({ start, end })} (--memoryBase)`, range(span))
  }
  const declared = facts.memory!.minimum * PAGE
  if (declared > end) throw refuse(check, 'declared minimum', `at most ${end / PAGE} pages`, `${facts.memory!.minimum} pages`)
}

function checkExports(functions: ReadonlySet<string>, check: ModuleCheck): void {
  const wanted = ['millrace_abi', 'millrace_layout', ...(check.role === 'core' ? CORE_FUNCTIONS : [])]
  for (const kernel of check.kernels ?? []) {
    const suffixes = [
      'size', 'init', 'process', 'reset', ...(kernel.flush === true ? ['flush'] : []), ...(kernel.shared === true ? ['shared'] : []),
    ]
    wanted.push(...suffixes.map((suffix) => `${kernel.export}_${suffix}`))
  }
  for (const name of wanted) if (!functions.has(name)) throw refuse(check, 'exports', `function ${name}`, 'none of that name')
}

function checkCode(bytes: Uint8Array, facts: ModuleFacts, check: ModuleCheck): void {
  let findings
  try {
    findings = scanCode(bytes, facts)
  } catch (error) {
    if (!(error instanceof MalformedModule)) throw error
    throw refuse(check, 'code', 'well-formed functions', error.message)
  }
  if (findings.beyond !== undefined) {
    throw refuse(
      check, 'features',
      'the baseline (SIMD, threads, bulk memory, sign extension, saturating conversions)',
      `instruction ${findings.beyond}`,
    )
  }
  if (findings.memoryGrow > 0) {
    throw refuse(check, 'code', 'no memory.grow: the engine\'s memory never grows', `${findings.memoryGrow} of them`)
  }
  if (findings.atomicWait > 0) throw refuse(check, 'code', 'no atomic waits: kernels never wait', `${findings.atomicWait} of them`)
}

const KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const
function refuse(check: ModuleCheck, what: string, expected: string, got: string): Error {
  return kernelErrors.KERNEL_ABI({ module: check.name, what, expected, got })
}
function range(span: { readonly start: number; readonly end: number }): string {
  return `0x${span.start.toString(16)}…0x${span.end.toString(16)}`
}
