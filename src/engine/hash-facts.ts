import { isMillraceError } from '../errors/millrace-error.js'
import { show } from '../errors/show.js'
import { FileMarks, type FileMark } from '../formats/source/file-marks.js'
import type { Graph, GraphNode } from '../graph/graph.js'
import type { HashOptions } from '../graph/hash.js'
import { HashWriter } from '../graph/hash-writer.js'
import type { NodeDefinition } from '../graph/node-definition.js'
import { resolveParams } from '../graph/params.js'
import { hexOf, sha256 } from '../graph/sha256.js'
import type { CompiledModules } from '../kernels/compiled-modules.js'
import { openWasmSource, type WasmSource } from '../kernels/wasm-source.js'
import { scheduleErrors } from '../schedule/errors.js'
import { wrapNodeFailure } from '../schedule/node-failure.js'
import { unlessAborted } from '../schedule/on-abort.js'
import { webBytes } from '../workers/script/web-code.js'

/** What hashes of a graph take from outside it. */
export type OutsideFacts = Pick<HashOptions, 'referenced' | 'fingerprint' | 'moduleHash'>

/** Files that are marked at a time. */
const AT_ONCE = 4

/**
 * Gathers what a graph's hashes depend on beside the graph (GR-54): bytes of files that params name, of users' kernel modules and of code
 * at `codeURL`, and awaited fingerprints. One per engine, since it keeps the digests of files that have not changed.
 */
export class HashFacts {
  readonly #files: FileMarks
  readonly #given: Readonly<Record<string, WasmSource | undefined>>
  /** Digests of modules that did not come with the package, by name. */
  readonly #modules = new Map<string, Uint8Array | undefined>()
  /** What tells the bytes at `codeURL` from those before and after, by type. */
  readonly #codes = new WeakMap<NodeDefinition, string>()
  /** Bytes at web addresses, fetched once per type: one that is replaced has its code fetched again. */
  readonly #web = new WeakMap<NodeDefinition, Promise<{ readonly bytes: Uint8Array; readonly digest: Uint8Array } | undefined>>()
  readonly #bytes = new WeakMap<NodeDefinition, Uint8Array>()

  /**
   * `given`: sources of modules in place of, or beside, those that ship; `compiled`: what came of them,
   * undefined in the `js` tier, which compiles none.
   */
  constructor(
    given: Readonly<Record<string, WasmSource | undefined>>, compiled: CompiledModules | undefined, mostFileBytes: number,
    nowMs: () => number,
  ) {
    this.#files = new FileMarks(mostFileBytes, nowMs)
    this.#given = given
    for (const { name, digest } of compiled?.modules ?? []) if (digest !== undefined) this.#modules.set(name, digest)
  }

  /**
   * `told`: fingerprints that sources gave when they were asked for their media. Rejects with `NODE_FAILED` for a fingerprint
   * that fails, or with the signal's reason.
   */
  async of({ nodes }: Graph, told: ReadonlyMap<string, Uint8Array | null>, signal: AbortSignal): Promise<OutsideFacts> {
    const referenced = new Map<string, Map<string, Uint8Array>>()
    const prints = new Map<string, (Uint8Array | null)[]>()
    const modules = new Map<NodeDefinition, Uint8Array>()
    const print = (id: string, one: Uint8Array | null): void => {
      const list = prints.get(id)
      if (list) list.push(one); else prints.set(id, [one])
    }
    const files: (readonly [file: string | URL, take: (mark: FileMark) => void])[] = []
    const asked: Promise<() => void>[] = [], seen = new Set<NodeDefinition>()
    for (const node of nodes) {
      const { id, definition } = node
      if (definition === undefined) continue
      if (definition.fingerprint !== undefined) {
        asked.push(fingerprintOf(node, definition, signal).then((mark) => () => { print(id, mark) }))
      }
      for (const [path, file] of filesOf(node, definition)) files.push([file, (mark) => {
        if (!('digest' in mark)) print(id, mark.facts)
        else {
          const marks = referenced.get(id)
          if (marks) marks.set(path, mark.digest); else referenced.set(id, new Map([[path, mark.digest]]))
        }
      }])
      if (seen.has(definition)) continue
      seen.add(definition)
      const { kernel, codeURL } = definition
      if (kernel !== undefined && Object.hasOwn(this.#given, kernel.module)) {
        asked.push(this.#module(kernel.module, signal).then((digest) => () => { if (digest) modules.set(definition, digest) }))
      }
      if (codeURL === undefined) continue
      files.push([codeURL, (mark) => { modules.set(definition, this.#mark(definition, mark)) }])
      asked.push(this.#fetched(definition).then((digest) => () => { if (digest) modules.set(definition, digest) }))
    }
    const marks: (FileMark | undefined)[] = []
    let next = 0
    const read = async (): Promise<void> => {
      for (let n = next++; n < files.length; n = next++) marks[n] = await this.#files.of(files[n]![0], signal)
    }
    const settled = Promise.allSettled(asked)
    await unlessAborted(Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, read)), signal)
    // In the order of the graph, whoever answered first.
    for (const one of await unlessAborted(settled, signal) ?? []) if (one.status === 'rejected') throw one.reason; else one.value()
    for (const [id, mark] of told) print(id, mark)
    marks.forEach((mark, n) => { if (mark !== undefined) files[n]![1](mark) })
    return {
      ...(referenced.size > 0 && { referenced: (id, param) => referenced.get(id)?.get(param) }),
      ...(prints.size > 0 && { fingerprint: (id) => { const list = prints.get(id); return list && joined(list) } }),
      ...(modules.size > 0 && { moduleHash: (definition) => modules.get(definition) }),
    }
  }

  /**
   * A few hex digits for the bytes at a type's `codeURL` as they were last seen; undefined where nobody can tell: they
   * could not be read, or were not looked at.
   */
  codeMark(definition: NodeDefinition): string | undefined { return this.#codes.get(definition) }

  /** What was fetched from a web address. */
  codeBytes(definition: NodeDefinition): Uint8Array | undefined { return this.#bytes.get(definition) }

  /** Something else stands there by now: it is fetched again. */
  forget(definition: NodeDefinition): void { for (const map of [this.#web, this.#bytes, this.#codes]) map.delete(definition) }

  /** Looks at the bytes at a type's `codeURL`, for {@link codeMark}, before a graph's facts are gathered. */
  async lookAt(definition: NodeDefinition, signal: AbortSignal): Promise<void> {
    const mark = definition.codeURL === undefined ? undefined : await this.#files.of(definition.codeURL, signal)
    if (mark !== undefined) this.#mark(definition, mark)
    if (definition.codeURL !== undefined) await unlessAborted(this.#fetched(definition), signal)
  }

  /** Digest of what stands at a type's web address. No run's signal ends it: others may wait for it too. */
  async #fetched(definition: NodeDefinition): Promise<Uint8Array | undefined> {
    let asked = this.#web.get(definition)
    if (asked === undefined) {
      this.#web.set(definition, asked = webBytes(definition.codeURL!).then((bytes) => bytes && { bytes, digest: sha256(bytes) }))
    }
    const found = await asked
    if (found === undefined) { this.#web.delete(definition); return undefined }
    this.#bytes.set(definition, found.bytes)
    return this.#mark(definition, found)
  }

  #mark(definition: NodeDefinition, mark: FileMark): Uint8Array {
    const known = 'digest' in mark ? mark.digest : mark.facts && sha256(mark.facts)
    if (known === null) return crypto.getRandomValues(new Uint8Array(32))
    this.#codes.set(definition, hexOf(known, 0, 8))
    return known
  }

  /**
   * In the `js` tier nobody has read the module: it is read here, so that hashes are the same in all tiers. One
   * that cannot be read is told by its name.
   */
  async #module(name: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#modules.has(name)) return this.#modules.get(name)
    const input = await openWasmSource(name, this.#given[name]!, false, signal).catch(() => undefined)
    const digest = input === undefined || input.kind === 'module' ? undefined : sha256(input.bytes)
    if (!signal.aborted) this.#modules.set(name, digest)
    return digest
  }
}

/** Params of type `file` that name one, lists of them too. What a node writes is not what it depends on. */
function* filesOf(node: GraphNode, definition: NodeDefinition): Generator<readonly [path: string, file: string | URL]> {
  if (definition.effects === 'write') return
  for (const name in definition.params) {
    const { type, items, default: preset } = definition.params[name]!
    if (type !== 'file' && items?.type !== 'file') continue
    // A param may be spelled in several ways; most are not.
    const value: unknown = Object.hasOwn(node.params, name)
      ? node.params[name]
      : resolveParams(definition, node.params).values[name] ?? preset
    if (isAddress(value)) yield [name, value]
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) if (isAddress(item)) yield [`${name}[${i}]`, item]
  }
}

function isAddress(value: unknown): value is string | URL { return typeof value === 'string' || value instanceof URL }

async function fingerprintOf({ id, params }: GraphNode, definition: NodeDefinition, signal: AbortSignal): Promise<Uint8Array | null> {
  const place = { node: id, type: definition.type, operation: 'fingerprint' }
  let found: unknown
  try {
    found = await unlessAborted(Promise.resolve(definition.fingerprint!(resolveParams(definition, params).values)), signal)
  } catch (error) {
    if (signal.aborted) throw error
    const own = wrapNodeFailure(error, place)
    if (isMillraceError(error) || own.hint !== '') throw own
    throw scheduleErrors.NODE_FAILED(
      { ...place, cause: error instanceof Error ? error.message : `threw ${show(error)}`, causeHint: HINT },
      { nodeId: id, nodeType: definition.type, operation: 'fingerprint', cause: error },
    )
  }
  if (found === null || found instanceof Uint8Array) return found
  throw scheduleErrors.NODE_FAILED({ ...place, cause: `expected a Uint8Array or null, got ${show(found)}`, causeHint: HINT }, {
    nodeId: id, nodeType: definition.type, operation: 'fingerprint',
  })
}
const HINT = 'A fingerprint is a Uint8Array, or null for a node whose result is never taken from a cache.'

/** One as it is; several in their order, told apart. */
function joined(list: readonly (Uint8Array | null)[]): Uint8Array | null {
  if (list.length === 1) return list[0]!
  const writer = new HashWriter()
  for (const [i, one] of list.entries()) { if (one === null) return null; writer.record(i, one) }
  return writer.bytes.slice()
}
