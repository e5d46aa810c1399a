import { commonErrors } from '../../errors/common-errors.js'
import { show } from '../../errors/show.js'
import { compareUtf8, utf8Length, writeUtf8 } from '../../graph/utf8.js'
import { textOfBytes } from '../../memory/platform/text.js'
import { canonicalJson } from './canonical-json.js'
import type { TensorRef } from './packet.js'
import { FIELD, PACKET_FAULT, TENSOR_REF, type Fields, type FieldSpec } from './packet-table.js'

/** A field prepared for walking: what the table says, without looking names up again. */
export interface FieldPlan { readonly name: string; readonly kind: number; readonly inner: readonly FieldPlan[] }

/** Prepares the fields of a message. */
export function planFields(fields: Fields): readonly FieldPlan[] {
  return Object.entries(fields).map(([name, field]) => planField(name, field))
}

function planField(name: string, field: FieldSpec): FieldPlan {
  if (typeof field === 'string') return { name, kind: FIELD[field.toUpperCase() as keyof typeof FIELD], inner: [] }
  if ('list' in field) return { name, kind: FIELD.LIST, inner: [planField(name, field.list)] }
  if ('map' in field) return { name, kind: FIELD.MAP, inner: [planField(name, field.map)] }
  if ('option' in field) return { name, kind: FIELD.OPTION, inner: [planField(name, field.option)] }
  return { name, kind: FIELD.RECORD, inner: planFields(field.record) }
}

/** Thrown inside the codec for a body that is not as the table says; becomes `IPC_ERROR` or `PROTOCOL_MISMATCH`. */
export class PacketFault {
  readonly fault: number
  constructor(fault: number) { this.fault = fault }
}

const LONG = 2 ** 32
/** Texts from this length on are encoded by the platform, where it has an encoder (worklets have none), into scratch of so many bytes. */
const SHORT = 32
const SCRATCH_BYTES = 32_768

interface Encoder { encodeInto(text: string, into: Uint8Array): { readonly read: number; readonly written: number } }
let encoder: Encoder | null | undefined
let scratch: Uint8Array | undefined

/**
 * Measures values and keeps the texts in them, so that writing does not make them again. One at a time: texts stand in one scratch, so
 * write before the next is made. Throws `INVALID_ARGUMENT` for values that are not as the table says.
 */
export class FieldMeasure {
  /** Texts in order; a number is a place in the scratch. */
  readonly texts: (string | number)[] = []
  readonly lengths: number[] = []
  #used = 0

  /** Bytes of all fields. */
  all(plans: readonly FieldPlan[], values: unknown): number {
    if (typeof values !== 'object' || values === null) return this.#refuse('an object of fields', values, '')
    let bytes = 0
    for (const plan of plans) bytes += this.one(plan, (values as Record<string, unknown>)[plan.name])
    return bytes
  }

  /** Bytes of one value. */
  one(plan: FieldPlan, value: unknown): number {
    switch (plan.kind) {
      case FIELD.U8: return this.#whole(value, 0, 255, plan, 1)
      case FIELD.U32: return this.#whole(value, 0, LONG - 1, plan, 4)
      case FIELD.I32: return this.#whole(value, -(2 ** 31), 2 ** 31 - 1, plan, 4)
      case FIELD.U64: return this.#whole(value, 0, Number.MAX_SAFE_INTEGER, plan, 8)
      case FIELD.F64: return typeof value === 'number' ? 8 : this.#refuse('a number', value, plan.name)
      case FIELD.BOOL: return typeof value === 'boolean' ? 1 : this.#refuse('true or false', value, plan.name)
      case FIELD.TEXT: return this.#text(typeof value === 'string' ? value : this.#refuse('text', value, plan.name), plan)
      case FIELD.JSON: return this.#text(canonicalJson(value), plan)
      case FIELD.TENSOR: return this.#tensor(value as TensorRef, plan)
      case FIELD.LIST: {
        if (!Array.isArray(value)) this.#refuse('a list', value, plan.name)
        let bytes = 4
        for (const item of value as readonly unknown[]) bytes += this.one(plan.inner[0]!, item)
        return bytes
      }
      case FIELD.MAP: {
        if (typeof value !== 'object' || value === null) this.#refuse('an object', value, plan.name)
        let bytes = 4
        for (const key of sortedKeys(value as object)) {
          bytes += this.#text(key, plan) + this.one(plan.inner[0]!, (value as Record<string, unknown>)[key])
        }
        return bytes
      }
      case FIELD.OPTION: return value === null || value === undefined ? 1 : 1 + this.one(plan.inner[0]!, value)
      default: return this.all(plan.inner, value)
    }
  }

  #text(text: string, plan: FieldPlan): number {
    if (text.length >= SHORT) {
      const quick = this.#encode(text)
      if (quick >= 0) return 4 + quick
    }
    const bytes = utf8Length(text)
    if (bytes < 0) this.#refuse('text without lone surrogates', text, plan.name)
    this.texts.push(text)
    this.lengths.push(bytes)
    return 4 + bytes
  }

  /** Bytes of a text that is in the scratch now, or −1. */
  #encode(text: string): number {
    const { TextEncoder: Platform } = globalThis as { readonly TextEncoder?: new () => Encoder }
    const formed = (text as { isWellFormed?(): boolean }).isWellFormed?.()
    if (encoder === undefined) encoder = Platform === undefined ? null : new Platform()
    if (encoder === null || formed !== true || this.#used + text.length > SCRATCH_BYTES) return -1
    const { read, written } = encoder.encodeInto(text, (scratch ??= new Uint8Array(SCRATCH_BYTES)).subarray(this.#used))
    if (read !== text.length) return -1
    this.texts.push(this.#used)
    this.lengths.push(written)
    this.#used += written
    return written
  }

  #tensor(ref: TensorRef, plan: FieldPlan): number {
    const dimensions = ref?.shape?.length
    if (!(dimensions <= TENSOR_REF.MOST_DIMENSIONS && ref.strides?.length === dimensions)) {
      this.#refuse('a TensorRef of up to 8 dimensions', ref, plan.name)
    }
    for (const small of [ref.arena, ref.dtype, ref.flags]) this.#whole(small, 0, 255, plan, 1)
    for (const word of [ref.index, ref.generation, ref.offset, ref.bytes, ...ref.shape]) this.#whole(word, 0, LONG - 1, plan, 4)
    for (const stride of ref.strides) this.#whole(stride, -(2 ** 31), 2 ** 31 - 1, plan, 4)
    return TENSOR_REF.BYTES + 8 * dimensions
  }

  #whole(value: unknown, least: number, most: number, plan: FieldPlan, bytes: number): number {
    return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? bytes
      : this.#refuse(`a whole number ${least}–${most}`, value, plan.name)
  }
  #refuse(expected: string, got: unknown, name: string): never {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'encodePacket', expected: name === '' ? expected : `${expected} as ${name}`, got: show(got),
    })
  }
}

/** Writes measured values from `at` on. */
export class FieldWriter {
  readonly #u8: Uint8Array
  readonly #view: DataView
  readonly #measure: FieldMeasure
  #text = 0
  at: number

  constructor(u8: Uint8Array, view: DataView, at: number, measure: FieldMeasure) {
    this.#u8 = u8
    this.#view = view
    this.#measure = measure
    this.at = at
  }

  /** All fields of a message or record. */
  all(plans: readonly FieldPlan[], values: unknown): void {
    for (const plan of plans) this.one(plan, (values as Record<string, unknown>)[plan.name])
  }

  /** One value. */
  one(plan: FieldPlan, value: unknown): void {
    switch (plan.kind) {
      case FIELD.U8: this.#u8[this.at++] = value as number; break
      case FIELD.BOOL: this.#u8[this.at++] = value === true ? 1 : 0; break
      case FIELD.U32: case FIELD.I32: this.#word(value as number); break
      case FIELD.U64: this.#word(value as number); this.#word(Math.floor((value as number) / LONG)); break
      case FIELD.F64: this.#view.setFloat64(this.at, value as number, true); this.at += 8; break
      case FIELD.TEXT: case FIELD.JSON: this.#nextText(); break
      case FIELD.TENSOR: this.tensor(value as TensorRef); break
      case FIELD.LIST: {
        const list = value as readonly unknown[]
        this.#word(list.length)
        for (const item of list) this.one(plan.inner[0]!, item)
        break
      }
      case FIELD.MAP: {
        const keys = sortedKeys(value as object)
        this.#word(keys.length)
        for (const key of keys) { this.#nextText(); this.one(plan.inner[0]!, (value as Record<string, unknown>)[key]) }
        break
      }
      case FIELD.OPTION: {
        const some = value !== null && value !== undefined
        this.#u8[this.at++] = some ? 1 : 0
        if (some) this.one(plan.inner[0]!, value)
        break
      }
      default: this.all(plan.inner, value)
    }
  }

  /** A TensorRef. */
  tensor(ref: TensorRef): void {
    for (const small of [ref.arena, ref.dtype, ref.shape.length, ref.flags]) this.#u8[this.at++] = small
    for (const word of [ref.index, ref.generation, ref.offset, ref.bytes, ...ref.shape, ...ref.strides]) this.#word(word)
  }

  #nextText(): void {
    const index = this.#text++
    const length = this.#measure.lengths[index]!, text = this.#measure.texts[index]!
    this.#word(length)
    if (typeof text === 'string') this.at = writeUtf8(this.#u8, this.at, text)
    else {
      this.#u8.set(scratch!.subarray(text, text + length), this.at)
      this.at += length
    }
  }
  #word(value: number): void { this.#view.setUint32(this.at, value, true); this.at += 4 }
}

/** Reads values from `at` to `end`; throws {@link PacketFault} for what is not as the table says. Never reads outside. */
export class FieldReader {
  readonly #u8: Uint8Array
  readonly #view: DataView
  readonly #end: number
  at: number

  constructor(u8: Uint8Array, view: DataView, at: number, end: number) {
    this.#u8 = u8
    this.#view = view
    this.at = at
    this.#end = end
  }

  /** All fields; what is left over is a fault. */
  whole(plans: readonly FieldPlan[]): Record<string, unknown> {
    const values = this.all(plans)
    if (this.at !== this.#end) throw new PacketFault(PACKET_FAULT.TRAILING)
    return values
  }

  /** All fields of a message or record. */
  all(plans: readonly FieldPlan[]): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    for (const plan of plans) values[plan.name] = this.one(plan)
    return values
  }

  /** One value. */
  one(plan: FieldPlan): unknown {
    switch (plan.kind) {
      case FIELD.U8: return this.#u8[this.#take(1)]!
      case FIELD.U32: return this.#view.getUint32(this.#take(4), true)
      case FIELD.I32: return this.#view.getInt32(this.#take(4), true)
      case FIELD.U64: return this.#u64()
      case FIELD.F64: return this.#view.getFloat64(this.#take(8), true)
      case FIELD.BOOL: return this.#bit()
      case FIELD.TEXT: return this.#text()
      case FIELD.JSON: {
        try {
          return JSON.parse(this.#text()) as unknown
        } catch (error) {
          throw error instanceof PacketFault ? error : new PacketFault(PACKET_FAULT.TEXT)
        }
      }
      case FIELD.TENSOR: return this.tensor()
      case FIELD.LIST: {
        const list: unknown[] = []
        for (let count = this.#count(); count > 0; count--) list.push(this.one(plan.inner[0]!))
        return list
      }
      case FIELD.MAP: {
        // Without a prototype: any key is only a key.
        const map = Object.create(null) as Record<string, unknown>
        for (let count = this.#count(); count > 0; count--) {
          const key = this.#text()
          map[key] = this.one(plan.inner[0]!)
        }
        return map
      }
      case FIELD.OPTION: return this.#bit() ? this.one(plan.inner[0]!) : null
      default: return this.all(plan.inner)
    }
  }

  /** A TensorRef. */
  tensor(): TensorRef {
    const at = this.#take(TENSOR_REF.BYTES), dimensions = this.#u8[at + TENSOR_REF.NDIM_U8]!
    if (dimensions > TENSOR_REF.MOST_DIMENSIONS) throw new PacketFault(PACKET_FAULT.VALUE)
    const word = (offset: number): number => this.#view.getUint32(at + offset, true), shape: number[] = [], strides: number[] = []
    for (let i = 0; i < dimensions; i++) shape.push(this.#view.getUint32(this.#take(4), true))
    for (let i = 0; i < dimensions; i++) strides.push(this.#view.getInt32(this.#take(4), true))
    return {
      arena: this.#u8[at]!, dtype: this.#u8[at + TENSOR_REF.DTYPE_U8]!, flags: this.#u8[at + TENSOR_REF.FLAGS_U8]!,
      index: word(TENSOR_REF.INDEX), generation: word(TENSOR_REF.GENERATION), offset: word(TENSOR_REF.OFFSET), bytes: word(TENSOR_REF.SIZE),
      shape, strides,
    }
  }

  #bit(): boolean {
    const byte = this.#u8[this.#take(1)]!
    if (byte > 1) throw new PacketFault(PACKET_FAULT.VALUE)
    return byte === 1
  }
  #u64(): number {
    const at = this.#take(8), value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * LONG
    if (value > Number.MAX_SAFE_INTEGER) throw new PacketFault(PACKET_FAULT.VALUE)
    return value
  }
  #text(): string {
    const length = this.#view.getUint32(this.#take(4), true), at = this.#take(length), text = textOfBytes(this.#u8, at, length)
    if (text === null) throw new PacketFault(PACKET_FAULT.TEXT)
    return text
  }
  /** A count of values, each of which takes at least a byte: a count that cannot be is refused before anything is made. */
  #count(): number {
    const count = this.#view.getUint32(this.#take(4), true)
    if (count > this.#end - this.at) throw new PacketFault(PACKET_FAULT.TRUNCATED)
    return count
  }
  #take(bytes: number): number {
    const at = this.at
    if (bytes > this.#end - at) throw new PacketFault(PACKET_FAULT.TRUNCATED)
    this.at = at + bytes
    return at
  }
}

function sortedKeys(record: object): string[] {
  const keys = Object.keys(record)
  return keys.length > 1 ? keys.sort(compareUtf8) : keys
}
