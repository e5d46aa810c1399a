/**
 * Each fact of `requires` there and forced off, through probe, validation and engine (GR-40): refused before
 * anything runs, or told when it was only preferred.
 */
import { afterAll, describe, expect, test, vi } from 'vitest'
import {
  createEngine, createRegistry, defineNode, fromDocument, json, validate, type Engine, type HostFacts, type Packet,
} from '../../src/index.js'
import type { Globals } from '../../src/kernels/host-facts.js'

const { host } = vi.hoisted(() => ({ host: { globals: {} as Record<string, unknown> } }))
vi.mock('../../src/kernels/host-facts.js', async (original) => {
  const real = await original<typeof import('../../src/kernels/host-facts.js')>()
  return { ...real, hostFacts: () => real.probeHost(host.globals) }
})
const { hostFacts } = await import('../../src/kernels/host-facts.js')

/** What its modules hold that the probe compiles: an opcode of relaxed SIMD, a 64-bit memory, a 128-bit splat. */
const holds = (bytes: BufferSource, ...part: readonly number[]): boolean => [...bytes as Uint8Array].join().includes(part.join())
const compiling = (refused?: readonly number[]): unknown =>
  ({ validate: (bytes: BufferSource) => refused === undefined || !holds(bytes, ...refused), Module: WebAssembly.Module })
const RELAXED = [253, 133, 2], MEMORY64 = [5, 3, 1, 4, 1], SIMD = [253, 15, 11]
const machine = (arch = 'x64', platform = 'linux', memory = 2 ** 34): unknown =>
  ({ versions: { node: '20.20.2' }, arch, platform, getBuiltinModule: () => ({ totalmem: () => memory, cpus: () => [1] }) })
/** A host that has everything. */
const ALL: Globals = {
  WebAssembly: compiling(), SharedArrayBuffer, Atomics, navigator: { gpu: {}, hardwareConcurrency: 16 }, process: machine(),
}

interface Case {
  readonly requires: Readonly<Record<string, unknown>>
  readonly without: Globals
  readonly constraint: string
  readonly got: string
  readonly preferred?: Readonly<Record<string, unknown>>
}
const flag = (name: string, less: Globals): Case => ({
  requires: { [name]: true }, preferred: { [name]: 'preferred' }, without: { ...ALL, ...less }, constraint: name, got: 'none',
})
const noGpu = { navigator: { hardwareConcurrency: 16 } }
const CASES: Readonly<Record<string, Case>> = {
  webgpu: flag('webgpu', noGpu), simd: flag('simd', { WebAssembly: compiling(SIMD) }),
  threads: flag('threads', { SharedArrayBuffer: undefined }), relaxedSimd: flag('relaxedSimd', { WebAssembly: compiling(RELAXED) }),
  memory64: flag('memory64', { WebAssembly: compiling(MEMORY64) }),
  cores: { requires: { cores: 16 }, without: { navigator: { gpu: {}, hardwareConcurrency: 15 } }, constraint: 'cores', got: '15' },
  memoryBytes: {
    requires: { memoryBytes: 2 ** 34 },
    without: { ...ALL, ...{ process: machine('x64', 'linux', 2 ** 34 - 1) } },
    constraint: 'memoryBytes', got: String(2 ** 34 - 1),
  },
  'arch x86_64': {
    requires: { arch: 'x86_64' }, without: { ...ALL, ...{ process: machine('arm64') } }, constraint: 'arch', got: 'aarch64',
  },
  'arch that is none of the known': {
    requires: { arch: 'x86_64' }, without: { ...ALL, ...{ process: machine('s390x') } }, constraint: 'arch', got: 'unknown',
  },
  'gpu of any type': {
    requires: { gpu: { type: 'any' } }, preferred: { gpu: { type: 'any', required: false } }, without: { ...ALL, ...noGpu },
    constraint: 'gpu', got: 'none',
  },
  'gpu webgpu': {
    requires: { gpu: { type: 'webgpu', required: true } }, preferred: { gpu: { type: 'webgpu', required: false } },
    without: { ...ALL, ...noGpu }, constraint: 'gpu', got: 'none',
  },
  'tag of a system': {
    requires: { tags: [' OS:Linux '] }, without: { ...ALL, ...{ process: machine('x64', 'win32') } }, constraint: 'tags',
    got: 'simd, threads, sab, webgpu, node, os:win32',
  },
  'tag of a fact': {
    requires: { tags: ['node', 'webgpu'] }, without: { ...ALL, ...noGpu }, constraint: 'tags', got: 'simd, threads, sab, node, os:linux',
  },
}
/** No host tells of such: memory of adapters, adapters beside WebGPU's, tags of one's own. */
const NEVER: Readonly<Record<string, Pick<Case, 'requires' | 'constraint' | 'preferred'>>> = {
  'gpu memory': {
    requires: { gpu: { type: 'webgpu', minMemoryBytes: 1 } },
    preferred: { gpu: { type: 'webgpu', minMemoryBytes: 1, required: false } },
    constraint: 'gpu',
  },
  'a tag of one\'s own': { requires: { tags: ['heavy'] }, constraint: 'tags' },
  ...Object.fromEntries(['cuda', 'rocm', 'metal', 'vulkan'].map((type) =>
    [`gpu ${type}`, { requires: { gpu: { type } }, preferred: { gpu: { type, required: false } }, constraint: 'gpu' }])),
  ...Object.fromEntries(['aarch64', 'arm'].map((arch) => [`arch ${arch}`, { requires: { arch }, constraint: 'arch' }])),
}

let ran = 0
const work = defineNode({
  type: 'test::work', version: '1.0.0', title: 'Work', doc: 'Counts.', family: 'test', params: {}, inputs: {},
  outputs: { out: { media: json() } },
  process: async () => {
    ran++
    return {
      out: { media: { kind: 'json' }, data: 1, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } as Packet,
    }
  },
})
/** Engines by their hosts, which they asked when they were made. */
const engines = new Map<Globals, Promise<Engine>>()
function engineOn(globals: Globals): Promise<Engine> {
  host.globals = globals
  const found = engines.get(globals) ?? createEngine({ tier: 'js', workers: 0, arenaBytes: 2 ** 24 })
  engines.set(globals, found)
  return found
}
afterAll(async () => { for (const engine of engines.values()) await (await engine).close() })

/** Runs the node on a host, its wish written at the node or at its type: what was told of it, and whether it ran. */
async function on(
  globals: Globals, requires: object, byType: boolean,
): Promise<{ readonly told: readonly unknown[]; readonly ran: number; readonly before: readonly unknown[] }> {
  const engine = await engineOn(globals)
  host.globals = globals
  ran = 0
  const registry = createRegistry(byType ? defineNode({ ...work.definition, requires } as never) as unknown as typeof work : work)
  const document = { millrace: 1, nodes: [{ id: 'w', type: 'test::work', ...(!byType && { requires }) }], outputs: { out: ['w', 'out'] } }
  const facts: HostFacts = hostFacts()
  const before = validate(document, registry, facts).filter(({ code }) => code.startsWith('CAPABILITY')).map(({ code, constraint, got }) =>
    [code, constraint, got])
  const told = await engine.run(fromDocument(document, registry)).then(
    ({ diagnostics, status }) => [
      status,
      ...diagnostics.filter(({ code }) => code.startsWith('CAPABILITY'))
        .map(({ code, constraint, got, severity, node }) => [code, constraint, got, severity, node]),
    ],
    (error: {
      readonly code: string
      readonly nodeId: string
      readonly details: { readonly diagnostic: { readonly constraint: string; readonly got: string } }
    }) => [error.code, error.nodeId, error.details.diagnostic.constraint, error.details.diagnostic.got])
  return { told, ran, before }
}

describe.each([['at the node', false], ['at its type', true]] as const)('written %s', (_where, byType) => {
  test.each(Object.entries(CASES))('%s', async (_name, { requires, preferred, without, constraint, got }) => {
    expect(await on(ALL, requires, byType)).toEqual({ told: ['success'], ran: 1, before: [] })
    expect(await on(without, requires, byType))
      .toEqual({ told: ['CAPABILITY_MISSING', 'w', constraint, got], ran: 0, before: [['CAPABILITY_MISSING', constraint, got]] })
    if (preferred === undefined) return
    expect(await on(ALL, preferred, byType)).toEqual({ told: ['success'], ran: 1, before: [] })
    expect(await on(without, preferred, byType)).toEqual({
      told: ['success', ['CAPABILITY_PREFERRED', constraint, got, 'info', 'w']],
      ran: 1, before: [['CAPABILITY_PREFERRED', constraint, got]],
    })
    // What is not wanted may be missing.
    if (Object.values(requires)[0] === true) {
      expect(await on(without, { [constraint]: false }, byType)).toEqual({ told: ['success'], ran: 1, before: [] })
    }
  })

  test.each(Object.entries(NEVER))('%s', async (_name, { requires, preferred, constraint }) => {
    expect(await on(ALL, requires, byType)).toMatchObject({ told: ['CAPABILITY_MISSING', 'w', constraint, expect.any(String)], ran: 0 })
    if (preferred !== undefined) {
      expect(await on(ALL, preferred, byType))
        .toMatchObject({ told: ['success', ['CAPABILITY_PREFERRED', constraint, expect.any(String), 'info', 'w']], ran: 1 })
    }
  })
})

test('all that is missing is told at once', async () => {
  const { before, told } =
    await on({ ...ALL, ...noGpu, SharedArrayBuffer: undefined }, { webgpu: true, threads: 'preferred', cores: 99, arch: 'any' }, false)
  expect(before).toEqual([
    ['CAPABILITY_MISSING', 'webgpu', 'none'], ['CAPABILITY_PREFERRED', 'threads', 'none'], ['CAPABILITY_MISSING', 'cores', '16'],
  ])
  expect(told[0]).toBe('CAPABILITY_MISSING')
})
