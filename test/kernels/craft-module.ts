/** Parts of a module under construction; every default keeps the contract. Written by hand so that each fault is exactly one byte range. */
export interface Craft {
  readonly memory?: readonly number[] | null
  readonly extraImports?: readonly (readonly number[])[]
  readonly exports?: readonly string[]
  readonly data?: readonly {
    readonly at: number
    readonly bytes: readonly number[]
    readonly passive?: boolean
    readonly computed?: boolean
  }[]
  readonly start?: boolean
  readonly ownMemory?: boolean
  readonly tag?: boolean
  /** Instructions of the last exported function, before `i32.const 0; end`. */
  readonly body?: readonly number[]
  readonly abi?: number
  readonly layout?: number
}

/** Exports that a module with kernel `wobble` needs. */
export const NEEDED = ['millrace_abi', 'millrace_layout', 'wobble_size', 'wobble_init', 'wobble_process', 'wobble_reset'] as const

const leb = (n: number): number[] => {
  const out: number[] = []
  do { const b = n & 0x7f; n >>>= 7; out.push(n > 0 ? b | 0x80 : b) } while (n > 0)
  return out
}
const sleb = (n: number): number[] => {
  const out: number[] = []
  for (;;) {
    const b = n & 0x7f
    n >>= 7
    if ((n === 0 && (b & 0x40) === 0) || (n === -1 && (b & 0x40) !== 0)) { out.push(b); return out }
    out.push(b | 0x80)
  }
}
const text = (s: string): number[] => [...leb(s.length), ...[...s].map((c) => c.charCodeAt(0))]
const list = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()]
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content]

/** Limits of a memory import: flag, minimum, maximum. Default: shared, 1 … 65 536 pages. */
export const limits = (flag: number, minimum: number, maximum?: number): number[] =>
  [flag, ...leb(minimum), ...(maximum === undefined ? [] : leb(maximum))]
export const importOf = (module: string, name: string, kind: number, rest: readonly number[]): number[] =>
  [...text(module), ...text(name), kind, ...rest]

/** Types: 0 () → i32 · 1 (i32, i32) → i32 · 2 () → (). Functions: abi, layout, then one per export, then `start`. */
export function craftModule(o: Craft = {}): Uint8Array {
  const names = o.exports ?? NEEDED
  const memory = o.memory === undefined ? importOf('env', 'memory', 2, limits(3, 1, 65_536))
    : o.memory === null ? null
    : importOf('env', 'memory', 2, o.memory)
  const imports = [...(memory === null ? [] : [memory]), ...(o.extraImports ?? [])]
  const importedFunctions = (o.extraImports ?? []).filter((one) => isFunction(one)).length
  const constant = (value: number): number[] => [0x41, ...sleb(value | 0), 0x0b]
  const bodies = names.map((name, n) => {
    if (name === 'millrace_abi') return [0, ...constant(o.abi ?? 1)]
    if (name === 'millrace_layout') return [0, ...constant(o.layout ?? 0)]
    return [0, ...(n === names.length - 1 ? o.body ?? [] : []), ...constant(0)]
  })
  if (o.start) bodies.push([0, 0x0b])
  const types = names.map((name) => name.startsWith('millrace') ? 0 : 1)
  const data = (o.data ?? []).map((d) => d.passive ? [1, ...leb(d.bytes.length), ...d.bytes]
    : [0, ...(d.computed ? [0x23, 0] : [0x41, ...sleb(d.at)]), 0x0b, ...leb(d.bytes.length), ...d.bytes])
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list([[0x60, 0, 1, 0x7f], [0x60, 2, 0x7f, 0x7f, 1, 0x7f], [0x60, 0, 0]])),
    ...section(2, list(imports)),
    ...section(3, list([...types.map((t) => [t]), ...(o.start ? [[2]] : [])])),
    ...(o.ownMemory ? section(5, list([[0, 1]])) : []),
    ...(o.tag ? section(13, list([[0, 2]])) : []),
    ...section(7, list(names.map((name, n) => [...text(name), 0, ...leb(n + importedFunctions)]))),
    ...(o.start ? section(8, leb(names.length + importedFunctions)) : []),
    ...(data.length > 0 && (o.data ?? []).some((d) => d.passive) ? section(12, leb(data.length)) : []),
    ...section(10, list(bodies.map((body) => [...leb(body.length), ...body]))),
    ...(data.length > 0 ? section(11, list(data)) : []),
  ])
}

/** Is an import entry a function? Its kind follows two names. */
function isFunction(entry: readonly number[]): boolean {
  const module = entry[0]!, name = entry[module + 1]!
  return entry[module + name + 2] === 0
}
