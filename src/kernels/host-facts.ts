import type { HostFacts as TierFacts } from '../graph/tiers.js'

/** What this host offers (spec packaging.md). Everything that is false has its reason in `reasons`. */
export interface HostFacts extends TierFacts {
  /** Node.js, or a runtime with its built-ins. An Electron renderer counts as browser. */
  readonly node: boolean
  readonly browser: boolean
  readonly worklet: boolean
  readonly bun: boolean
  readonly deno: boolean
  /** Shared memory can be made and posted: Node-like or cross-origin isolated. A worker's answer has the last word (MW-55). */
  readonly sab: boolean
  readonly isolated: boolean
  readonly wasm: boolean
  readonly simd: boolean
  readonly relaxedSimd: boolean
  readonly memory64: boolean
  readonly waitAsync: boolean
  readonly webgpu: boolean
  readonly worker: boolean
  readonly cores: number
  /**
   * What the host is, as tags that a node may ask for (GR-41): `simd` `threads` `sab` `webgpu` `node` `browser` `deno` `bun` `os:linux`.
   */
  readonly tags: readonly string[]
  readonly reasons: readonly HostReason[]
}
/** Why something is not there. */
export interface HostReason { readonly fact: string; readonly reason: string }

/** The globals that the probe reads; tests pass faked ones. */
export type Globals = Readonly<Record<string, unknown>>

let facts: HostFacts | undefined

/** Facts of this host, probed once per realm at the first call (PK-05, GR-43). < 5 ms. */
export function hostFacts(): HostFacts { return facts ??= probeHost(globalThis as unknown as Globals) }

/** The probe itself: pure over the given globals. */
export function probeHost(g: Globals): HostFacts {
  const reasons: HostReason[] = []
  const check = (fact: string, there: boolean, reason: string): boolean => {
    if (!there) reasons.push({ fact, reason })
    return there
  }
  const node = nodeLike(g)
  const worklet = !node && typeof g['AudioWorkletGlobalScope'] === 'function'
  const browser = !node && !worklet
  const wasmHost = g['WebAssembly'] as typeof WebAssembly | undefined
  const compiles = (bytes: readonly number[]): boolean => {
    try { return wasmHost!.validate(Uint8Array.from(bytes)) } catch { return false }
  }
  const wasm = check('wasm', typeof wasmHost === 'object' && typeof wasmHost.validate === 'function' && mayCompile(wasmHost),
    typeof wasmHost === 'object'
      ? "compilation is refused: the content security policy lacks script-src 'wasm-unsafe-eval'"
      : 'this host has no WebAssembly')
  const simd = check('simd', wasm && compiles(SIMD), wasm ? 'the engine has no 128-bit SIMD' : 'WebAssembly is missing')
  const isolated = node || g['crossOriginIsolated'] === true
  const buffers = typeof g['SharedArrayBuffer'] === 'function'
  const sab = check('sab', wasm && buffers && isolated && compiles(THREADS), !wasm ? 'WebAssembly is missing'
    : !buffers ? 'SharedArrayBuffer does not exist'
    : !isolated
      ? 'the page is not cross-origin isolated: send Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
      : 'WebAssembly threads are not supported')
  const bun = typeof g['Bun'] === 'object', deno = typeof g['Deno'] === 'object'
  const webgpu = check('webgpu', typeof (g['navigator'] as { gpu?: unknown } | undefined)?.gpu === 'object', 'navigator.gpu does not exist')
  const worker = check('worker', node || typeof g['Worker'] === 'function', 'this scope cannot start workers')
  const host = bun ? 'Bun' : deno ? 'Deno' : node ? 'Node' : worklet ? 'an audio worklet' : 'a browser'
  for (const [fact, there] of Object.entries({ node, browser, worklet, bun, deno })) check(fact, there, `this host is ${host}`)
  const tags = Object.entries({ simd, threads: sab && worker, sab, webgpu, node, browser, deno, bun })
    .flatMap(([tag, there]) => there ? [tag] : [])
  return {
    node, browser, worklet, bun, deno, sab, wasm, simd, webgpu, worker,
    isolated: check('isolated', isolated, 'the page is not cross-origin isolated'),
    relaxedSimd: check('relaxedSimd', wasm && compiles(RELAXED), 'the engine has no relaxed SIMD'),
    memory64: check('memory64', wasm && compiles(MEMORY64), 'the engine has no 64-bit memory'),
    waitAsync: check(
      'waitAsync',
      buffers && typeof (g['Atomics'] as { waitAsync?: unknown } | undefined)?.waitAsync === 'function',
      'Atomics.waitAsync does not exist',
    ),
    cores: coresOf(g, node), ...machineOf(g, node, tags), reasons,
  }
}

/** Built-in modules of Node come from `process` (Node ≥ 20.16, Bun, Deno): no import text, so no bundler has to resolve it. */
function nodeLike(g: Globals): boolean {
  const p = g['process'] as { versions?: { node?: unknown }; type?: unknown; getBuiltinModule?: unknown } | undefined
  return typeof p === 'object' && p !== null && typeof p.versions?.node === 'string' && p.type !== 'renderer'
    && typeof p.getBuiltinModule === 'function'
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', arm: 'arm' }

/** Memory, architecture and system, as far as the host tells them: Node all, a page its memory up to 8 GiB. */
function machineOf(g: Globals, node: boolean, tags: readonly string[]): Pick<HostFacts, 'arch' | 'memoryBytes' | 'tags'> {
  if (!node) {
    const gib = (g['navigator'] as { deviceMemory?: unknown } | undefined)?.deviceMemory
    return { tags, ...(typeof gib === 'number' && { memoryBytes: gib * 1_073_741_824 }) }
  }
  const host = g['process'] as { arch?: string; platform?: string; getBuiltinModule(name: string): { totalmem?: () => number } | undefined }
  const { arch = '', platform } = host, memoryBytes = host.getBuiltinModule('os')?.totalmem?.()
  return {
    tags: platform === undefined ? tags : [...tags, `os:${platform}`],
    ...(Object.hasOwn(ARCHITECTURES, arch) && { arch: ARCHITECTURES[arch]! }), ...(memoryBytes !== undefined && { memoryBytes }),
  }
}

function coresOf(g: Globals, node: boolean): number {
  const cores = (g['navigator'] as { hardwareConcurrency?: unknown } | undefined)?.hardwareConcurrency
  if (typeof cores === 'number' && cores >= 1) return Math.floor(cores)
  if (!node) return 1
  const os = (g['process'] as { getBuiltinModule(name: string): { availableParallelism?: () => number; cpus(): readonly unknown[] } })
    .getBuiltinModule('os')
  return Math.max(1, os.availableParallelism?.() ?? os.cpus().length)
}

/** A strict policy lets `validate` pass and refuses to compile. */
function mayCompile(wasm: typeof WebAssembly): boolean {
  try { return new wasm.Module(Uint8Array.from(EMPTY)) instanceof wasm.Module } catch { return false }
}

const EMPTY: readonly number[] = [0, 97, 115, 109, 1, 0, 0, 0], TYPE_TO_V128: readonly number[] = [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0]
/** () → v128: i32.const 0, i8x16.splat. */
const SIMD = /* @__PURE__ */ EMPTY.concat(TYPE_TO_V128, [10, 8, 1, 6, 0, 65, 0, 253, 15, 11])
/** () → v128: three splats, f32x4.relaxed_madd. */
const RELAXED = /* @__PURE__ */ EMPTY.concat(TYPE_TO_V128, [
  10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
])
/** A shared memory and an atomic fence. */
const THREADS = /* @__PURE__ */ EMPTY.concat([1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 7, 1, 5, 0, 254, 3, 0, 11])
/** A memory with 64-bit addresses. */
const MEMORY64 = /* @__PURE__ */ EMPTY.concat([5, 3, 1, 4, 1])
