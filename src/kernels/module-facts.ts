import { MalformedModule, readI32, readName, readSections, readU32, type Section } from './module-reader.js'

/** An import or export: kinds are function 0, table 1, memory 2, global 3, tag 4. */
export interface ModuleName { readonly module?: string; readonly name: string; readonly kind: number }
/** Bytes that a module writes when it is instantiated. `start` −1: passive, written by the module's own code when it chooses. */
export interface DataSegment { readonly start: number; readonly bytes: number }
/** Limits of the imported memory, pages. */
export interface MemoryLimits {
  readonly minimum: number
  readonly maximum: number | undefined
  readonly shared: boolean
  readonly memory64: boolean
}

/** What the loader must know of a module before it may touch the engine's memory. */
export interface ModuleFacts {
  readonly imports: readonly ModuleName[]
  readonly exports: readonly ModuleName[]
  readonly memory: MemoryLimits | undefined
  /** Memories declared by the module itself. */
  readonly ownMemories: number
  readonly data: readonly DataSegment[]
  /** 1 when a segment's place is no constant; reading stops there. */
  readonly computedData: number
  readonly hasStart: boolean
  readonly hasTags: boolean
  /** Byte ranges of function bodies. */
  readonly bodies: readonly { readonly start: number; readonly end: number }[]
  /** Names of the `target_features` section, without sign; empty when absent. */
  readonly features: readonly string[]
}

/** Reads the sections that matter. Throws MalformedModule. < 1 ms for 100 KB. */
export function moduleFacts(bytes: Uint8Array): ModuleFacts {
  const sections = readSections(bytes)
  const of = (id: number): Section | undefined => sections.find((section) => section.id === id)
  const imports = readImports(bytes, of(2)), data = readData(bytes, of(11))
  return {
    imports: imports.names, memory: imports.memory, exports: readExports(bytes, of(7)), ownMemories: countOf(bytes, of(5)), ...data,
    hasStart: of(8) !== undefined, hasTags: of(13) !== undefined, bodies: readBodies(bytes, of(10)),
    features: readFeatures(bytes, sections),
  }
}

function countOf(bytes: Uint8Array, section: Section | undefined): number {
  return section === undefined ? 0 : readU32(bytes, section.start).value
}

function readImports(bytes: Uint8Array, section: Section | undefined): { names: ModuleName[]; memory: MemoryLimits | undefined } {
  const names: ModuleName[] = []
  let memory: MemoryLimits | undefined
  if (section === undefined) return { names, memory }
  const count = readU32(bytes, section.start)
  let at = count.next
  for (let n = 0; n < count.value; n++) {
    const module = readName(bytes, at), name = readName(bytes, module.next), kind = bytes[name.next]!
    at = name.next + 1
    names.push({ module: module.text, name: name.text, kind })
    if (kind === 1 || kind === 2) {
      const limits = readLimits(bytes, kind === 1 ? at + 1 : at)
      if (kind === 2) memory ??= limits.limits
      at = limits.next
    } else if (kind === 3) at += 2
    else if (kind === 0 || kind === 4) at = readU32(bytes, kind === 4 ? at + 1 : at).next
    else throw new MalformedModule(`import kind ${kind}`)
  }
  return { names, memory }
}

function readLimits(bytes: Uint8Array, at: number): { limits: MemoryLimits; next: number } {
  const flags = bytes[at]!, minimum = readU32(bytes, at + 1)
  const maximum = (flags & 1) !== 0 ? readU32(bytes, minimum.next) : undefined
  return {
    limits: { minimum: minimum.value, maximum: maximum?.value, shared: (flags & 2) !== 0, memory64: (flags & 4) !== 0 },
    next: maximum?.next ?? minimum.next,
  }
}

function readExports(bytes: Uint8Array, section: Section | undefined): ModuleName[] {
  const names: ModuleName[] = []
  if (section === undefined) return names
  const count = readU32(bytes, section.start)
  for (let n = 0, at = count.next; n < count.value; n++) {
    const name = readName(bytes, at)
    names.push({ name: name.text, kind: bytes[name.next]! })
    at = readU32(bytes, name.next + 1).next
  }
  return names
}

function readData(bytes: Uint8Array, section: Section | undefined): { data: DataSegment[]; computedData: number } {
  const data: DataSegment[] = []
  if (section === undefined) return { data, computedData: 0 }
  const count = readU32(bytes, section.start)
  for (let n = 0, at = count.next; n < count.value; n++) {
    const flag = readU32(bytes, at)
    at = flag.next
    let start = -1
    if (flag.value === 2) at = readU32(bytes, at).next
    if (flag.value !== 1) {
      // i32.const n, end; anything else is not known before the module runs.
      const constant = bytes[at] === 0x41 ? readI32(bytes, at + 1) : undefined
      if (constant === undefined || bytes[constant.next] !== 0x0b) return { data, computedData: 1 }
      start = constant.value >>> 0
      at = constant.next + 1
    }
    const length = readU32(bytes, at)
    at = length.next + length.value
    if (at > section.end) throw new MalformedModule(`data segment ${n}`)
    data.push({ start, bytes: length.value })
  }
  return { data, computedData: 0 }
}

function readBodies(bytes: Uint8Array, section: Section | undefined): { start: number; end: number }[] {
  const bodies: { start: number; end: number }[] = []
  if (section === undefined) return bodies
  const count = readU32(bytes, section.start)
  for (let n = 0, at = count.next; n < count.value; n++) {
    const size = readU32(bytes, at)
    if (size.next + size.value > section.end) throw new MalformedModule(`function body at byte ${at}`)
    bodies.push({ start: size.next, end: size.next + size.value })
    at = size.next + size.value
  }
  return bodies
}

function readFeatures(bytes: Uint8Array, sections: readonly Section[]): string[] {
  for (const section of sections) {
    if (section.id !== 0) continue
    const name = readName(bytes, section.start)
    if (name.text !== 'target_features') continue
    const count = readU32(bytes, name.next), features: string[] = []
    for (let n = 0, at = count.next; n < count.value; n++) {
      const feature = readName(bytes, at + 1)
      if (bytes[at] !== 0x2d) features.push(feature.text)
      at = feature.next
    }
    return features
  }
  return []
}
