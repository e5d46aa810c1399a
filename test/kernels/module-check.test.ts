import { describe, expect, test } from 'vitest'
import { isMillraceError, type MillraceError } from '../../src/errors/millrace-error.js'
import { BUILTIN_MODULES, builtinModuleBytes } from '../../src/kernels/builtin-modules.js'
import { scanCode } from '../../src/kernels/code-scan.js'
import { compileModules } from '../../src/kernels/compile.js'
import { checkModule, checkOverlap } from '../../src/kernels/module-check.js'
import { moduleFacts } from '../../src/kernels/module-facts.js'
import { memoryFlagOffset, unsharedVariant } from '../../src/kernels/module-variant.js'
import { instantiateRuntime } from '../../src/kernels/runtime.js'
import { layoutHash } from '../../src/memory/layout.js'
import { createArena } from '../../src/memory/arena.js'
import { craftModule, importOf, limits, NEEDED, type Craft } from './craft-module.js'
import { hasShared } from './support.js'

function refusal(run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    if (isMillraceError(error)) return error
    throw error
  }
  return expect.unreachable('the module was accepted')
}
const check = (craft: Craft) => () => checkModule(craftModule(craft), { name: 'mine', role: 'user', kernels: [{ export: 'wobble' }] })

describe('crafted modules, each refused for its own reason (KE-21)', () => {
  const cases: readonly (readonly [string, Craft, string, RegExp])[] = [
    ['no memory import', { memory: null }, 'imports', /0 memories/],
    ['two memory imports', { extraImports: [importOf('env', 'other', 2, limits(3, 1, 65_536))] }, 'imports', /2 memories/],
    ['a function import', { extraImports: [importOf('env', 'abort', 0, [2])] }, 'imports', /function env\.abort/],
    ['a table import', { extraImports: [importOf('env', '__indirect_function_table', 1, [0x70, ...limits(0, 1)])] }, 'imports',
      /table env\.__indirect_function_table/],
    ['a global import', { extraImports: [importOf('env', 'base', 3, [0x7f, 0])] }, 'imports', /global env\.base/],
    ['a memory of its own', { ownMemory: true }, 'memories', /1 of its own/],
    ['an unshared memory', { memory: limits(1, 1, 65_536) }, 'imported memory', /unshared/],
    ['a small maximum', { memory: limits(3, 1, 256) }, 'imported memory', /maximum 256/],
    ['64-bit memory', { memory: limits(7, 1, 65_536) }, 'features', /64-bit/],
    ['a declared minimum past the window', { memory: limits(3, 17, 65_536) }, 'declared minimum', /17 pages/],
    ['data below the window', { data: [{ at: 0x400, bytes: [1, 2, 3] }] }, 'data segments', /0x400…0x403/],
    ['data past the window', { data: [{ at: 0xffffe, bytes: [1, 2, 3] }] }, 'data segments', /0xffffe…0x100001/],
    ['data in the arena', { data: [{ at: 0x40_0000, bytes: [1] }] }, 'data segments', /0x400000/],
    ['data at a negative address', { data: [{ at: -16, bytes: [1] }] }, 'data segments', /0xfffffff0/],
    ['data at a computed address', { data: [{ at: 0, bytes: [1], computed: true }] }, 'data segments', /computed/],
    ['passive data', { data: [{ at: 0, bytes: [1], passive: true }] }, 'data segments', /passive/],
    ['a start function', { start: true }, 'start function', /one/],
    ['exception tags', { tag: true }, 'features', /exception/],
    ['no millrace_abi', { exports: NEEDED.slice(1) }, 'exports', /none/],
    ['no millrace_layout', { exports: ['millrace_abi', ...NEEDED.slice(2)] }, 'exports', /none/],
    ['no process', { exports: NEEDED.filter((name) => name !== 'wobble_process') }, 'exports', /none/],
    ['relaxed SIMD', { body: [0xfd, 0x85, 0x02] }, 'features', /0xfd 0x105/],
    ['a tail call', { body: [0x12, 0x00] }, 'features', /0x12/],
    ['memory.grow', { body: [0x41, 1, 0x40, 0, 0x1a] }, 'code', /1 of them/],
    ['an atomic wait', { body: [0x41, 0, 0x41, 0, 0x42, 0, 0xfe, 0x01, 2, 0, 0x1a] }, 'code', /1 of them/],
  ]
  test.each(cases)('%s', (_, craft, what, got) => {
    const error = refusal(check(craft))
    expect(error.code).toBe('KERNEL_ABI')
    expect(error.details).toMatchObject({ module: 'mine', what })
    expect(String(error.details['got'])).toMatch(got)
    expect(error.message).toMatch(/^Module mine: .+ expected .+, got .+\.$/)
  })
  test('what each case starts from is accepted', () => {
    expect(check({})()).toEqual([])
    expect(check({ data: [{ at: 0x9_0000, bytes: [1, 2] }] })()).toEqual([{ start: 0x9_0000, bytes: 2 }])
    expect(WebAssembly.validate(craftModule({}) as Uint8Array<ArrayBuffer>)).toBe(true)
  })
  test('missing flush and shared only where they are declared', () => {
    for (const extra of ['flush', 'shared'] as const) {
      expect(refusal(() => checkModule(craftModule(), {
        name: 'mine', role: 'user', kernels: [{ export: 'wobble', [extra]: true }],
      })).details['expected']).toBe(`function wobble_${extra}`)
    }
  })
  test('bytes that are no module', () => {
    for (const bytes of [
      new Uint8Array(0), new Uint8Array(100), craftModule().slice(0, 60),
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ]) {
      expect(refusal(() => checkModule(bytes, { name: 'mine', role: 'user' })).code).toBe('KERNEL_ABI')
    }
  })
  test('every cut and every changed byte of a module is refused or accepted, never thrown at', () => {
    const whole = craftModule({ data: [{ at: 0x9_0000, bytes: [1, 2, 3, 4] }] })
    let refused = 0
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0x00, 0x7f, 0x80, 0xff]) {
        const bytes = whole.slice()
        bytes[at] = value
        for (const one of [bytes, whole.slice(0, at)]) {
          try {
            checkModule(one, { name: 'mine', role: 'user' })
          } catch (error) { refused++; expect(isMillraceError(error) ? error.code : String(error)).toBe('KERNEL_ABI') }
        }
      }
    }
    expect(refused).toBeGreaterThan(whole.length)
  })
  test('overlapping data of two modules names both (MW-65)', () => {
    const error = refusal(() =>
      checkOverlap([{ name: 'a', data: [{ start: 0x9_0000, bytes: 100 }] }, { name: 'b', data: [{ start: 0x9_0010, bytes: 4 }] }]))
    expect(error).toMatchObject({ code: 'KERNEL_ABI', details: { module: 'b' } })
    expect(error.message).toContain('overlaps a')
    checkOverlap([
      { name: 'a', data: [{ start: 0x9_0000, bytes: 100 }] },
      { name: 'b', data: [{ start: 0x9_0064, bytes: 4 }, { start: -1, bytes: 1e6 }] },
    ])
  })
  test('a user module that overlaps, that takes a built-in name, and a foreign layout', async () => {
    const data = [{ at: 0x9_0000, bytes: [1, 2, 3, 4] }]
    await expect(compileModules({ shared: hasShared, kernels: { one: craftModule({ data }), two: craftModule({ data }) } })).rejects
      .toMatchObject({ code: 'KERNEL_ABI', details: { what: 'data segments' } })
    await expect(compileModules({ shared: hasShared, kernels: { level: craftModule() } })).rejects
      .toMatchObject({ code: 'KERNEL_ABI', details: { module: 'level' } })
    for (const [craft, what] of [[{ layout: 1 }, 'millrace_layout'], [{ abi: 2, layout: layoutHash() }, 'millrace_abi']] as const) {
      const compiled = await compileModules({ shared: false, kernels: { mine: craftModule(craft) } })
      const arena = createArena({ bytes: 16 * 2 ** 20, shared: false, wasm: true })
      expect(refusal(() => instantiateRuntime(compiled, arena.memory!)).details).toMatchObject({ module: 'mine', what })
    }
    const compiled = await compileModules({ shared: false, kernels: { mine: craftModule({ layout: layoutHash() }) } })
    const runtime = instantiateRuntime(compiled, createArena({ bytes: 16 * 2 ** 20, shared: false, wasm: true }).memory!)
    expect(runtime.kernel('mine', 'wobble').size(0)).toBe(0)
    expect(refusal(() => runtime.kernel('mine', 'wibble')).details).toMatchObject({ module: 'mine', expected: 'export wibble_size' })
    expect(refusal(() => runtime.kernel('yours', 'wobble')).details).toMatchObject({ module: 'yours' })
  })
})

describe('shipped modules', () => {
  test.each(BUILTIN_MODULES)('%s keeps the contract, never grows the memory, stays within the baseline', async (name) => {
    const bytes = await builtinModuleBytes(name), facts = moduleFacts(bytes)
    checkModule(bytes, { name, role: name === 'core' ? 'core' : 'assembly' })
    const findings = scanCode(bytes, facts)
    expect(findings.beyond).toBeUndefined()
    expect(findings.memoryGrow).toBe(0)
    // Only the core waits, at one place: task_take.
    expect(findings.atomicWait > 0).toBe(name === 'core')
    expect(facts.bodies.length).toBeGreaterThan(5)
    expect(facts.exports.some((one) => one.name.includes('__new'))).toBe(false)
  })
  test('built-in data segments do not overlap', async () => {
    checkOverlap(await Promise.all(BUILTIN_MODULES.map(async (name) => ({ name, data: moduleFacts(await builtinModuleBytes(name)).data }))))
  })
  test('the unshared variant differs in one bit and compiles for private memory (MW-56)', async () => {
    for (const name of BUILTIN_MODULES) {
      const bytes = await builtinModuleBytes(name), variant = unsharedVariant(bytes), flag = memoryFlagOffset(bytes)
      expect([bytes[flag], variant[flag]]).toEqual([3, 1])
      expect(variant.filter((byte, i) => byte !== bytes[i]).length).toBe(1)
      expect(unsharedVariant(variant)).toBe(variant)
      expect(await WebAssembly.compile(variant as Uint8Array<ArrayBuffer>)).toBeInstanceOf(WebAssembly.Module)
    }
  })
})
