import { checkParam } from './check-param.js'
import { writeCode } from './hash-code.js'
import { HashWriter } from './hash-writer.js'
import type { NodeDefinition, ParamDeclaration } from './node-definition.js'
import { shippedDigest } from './module-digests.js'
import { revise, revisionOf, writtenOf } from './revisions.js'
import { compareUtf8 } from './utf8.js'

/** Record tags (spec graph.md section 6). */
export const TAG = {
  domain: 0x01, type: 0x02, version: 0x03, code: 0x04, deterministic: 0x05, param: 0x06, input: 0x07, file: 0x08, fingerprint: 0x09,
  tier: 0x0a, loop: 0x0b, paramName: 0x10, paramValue: 0x11, port: 0x20, order: 0x21, parent: 0x22, parentPort: 0x23, literal: 0x24,
  feedback: 0x25, filePath: 0x30, fileBytes: 0x31,
} as const
export const DOMAIN = 'millrace-node-hash/1'
const DETERMINISTIC = { yes: 0, seeded: 1, no: 2 } as const

/** A param that enters the hash. */
export interface ParamRecord {
  readonly name: string
  readonly declaration: ParamDeclaration
  /** The whole record of the default, when it has one that can be hashed. */
  readonly omitted: Uint8Array | undefined
  /** The whole record of the number 0: another number replaces its last eight bytes. */
  readonly number: Uint8Array | undefined
}

/** What the messages of all nodes of one type share, written once. */
export interface TypeRecords {
  /** Domain to determinism; a nonce, which is fresh for every node of a type that is not deterministic, goes behind it. */
  readonly head: Uint8Array
  /** Params by the UTF-8 bytes of their names, cosmetic ones left out. */
  readonly params: readonly ParamRecord[]
  /**
   * What a message starts with when its first 0, 1, 2… params are not given: `openings[k]` holds head and the defaults of `k` params. Ends
   * before a param whose record has to be worked out.
   */
  readonly openings: readonly Uint8Array[]
}

/** Shared records of a type; `seed` is that of the run, `code` the digest of what it runs. */
export function typeRecords(definition: NodeDefinition, code: Uint8Array, seed: bigint): TypeRecords {
  const kind = definition.deterministic ?? 'yes', writer = new HashWriter()
  writer.text(TAG.domain, DOMAIN).text(TAG.type, definition.type).text(TAG.version, definition.version).record(TAG.code, code)
  if (kind !== 'no') {
    writer.begin(TAG.deterministic).raw(Uint8Array.of(DETERMINISTIC[kind]))
    if (kind === 'seeded') writer.u64(BigInt.asUintN(64, seed))
    writer.end()
  }
  const names = Object.keys(definition.params).filter((name) => definition.params[name]!.cosmetic !== true).sort(compareUtf8)
  const head = writer.bytes.slice(), openings = [head]
  const params = names.map((name, i): ParamRecord => {
    const declaration = definition.params[name]!
    const plain = declaration.secret !== true && declaration.type !== 'seed'
    const preset = declaration.default
    const record = (value: unknown): Uint8Array | undefined =>
      plain && value !== undefined && writeValue(writer.clear(), name, value) ? writer.bytes.slice() : undefined
    const omitted = record(preset), number = record(0), before = openings[i]
    if (before !== undefined && kind !== 'no' && declaration.type !== 'file' && (omitted !== undefined || preset === undefined)) {
      openings.push(writer.clear().raw(before).raw(omitted ?? NOTHING).bytes.slice())
    }
    return { name, declaration, omitted, number }
  })
  return { head, params, openings }
}
const NOTHING = /* @__PURE__ */ new Uint8Array(0)

/** The records of a type among those of params that it does not declare, by the UTF-8 bytes of all names. */
export function withAdditional(
  params: readonly ParamRecord[], values: Readonly<Record<string, unknown>>, definition: NodeDefinition,
): readonly ParamRecord[] {
  const more = Object.keys(values).filter((name) => !Object.hasOwn(definition.params, name))
  return [
    ...params,
    ...more.map((name): ParamRecord => ({ name, declaration: { type: 'json', doc: '' }, omitted: undefined, number: undefined })),
  ].sort((a, b) => compareUtf8(a.name, b.name))
}

function writeValue(writer: HashWriter, name: string, value: unknown): boolean {
  writer.begin(TAG.param).text(TAG.paramName, name).begin(TAG.paramValue)
  const good = writer.value(value)
  writer.end().end()
  return good
}

/**
 * True when the params are spelled by their own names and each fits: then what is not given takes its
 * default, and nothing else has to be worked out.
 */
export function isPlain({ params }: NodeDefinition, given: Readonly<Record<string, unknown>>): boolean {
  for (const name in given) {
    if (!Object.hasOwn(given, name) || given[name] === undefined) continue
    if (!Object.hasOwn(params, name) || checkParam(params[name]!, given[name]) !== undefined) return false
  }
  return true
}

const codes = new WeakMap<NodeDefinition, {
  readonly digest: Uint8Array
  readonly revision: Uint8Array | undefined
  readonly module: Uint8Array | undefined
}>()

/**
 * Digest of what a node type runs: version, all that decides of its definition ({@link writeCode}), and the bytes of its module as far as
 * they are known (`module`, else those that ship); of one that took another's place also which that was. Worked out once per definition and
 * module.
 */
export function codeDigest(given: NodeDefinition, module = given.kernel && shippedDigest(given.kernel.module)): Uint8Array {
  const definition = writtenOf(given), known = codes.get(definition)
  if (known !== undefined && known.revision === revisionOf(definition) && known.module === module) return known.digest
  const writer = new HashWriter().utf8(definition.version)
  if (!writeCode(writer, definition)) revise(definition)
  const revision = revisionOf(definition)
  if (revision !== undefined) writer.record(20, revision)
  if (module !== undefined) writer.record(22, module)
  const digest = writer.takeDigest(0)
  codes.set(definition, { digest, revision, module })
  return digest
}
