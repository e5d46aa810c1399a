import type { Arena } from './arena.js'
import { entryAddress, slotAddress, threadAddress } from './arena-header.js'
import { ARENA, ARENA_FLAG, BLOCK, BLOCK_FLAG, MAIL, RUN, RUN_FLAG, SLOT, SLOT_PHASE, SLOT_STATUS, THREAD } from './layout.js'
import type { Address } from './memory-host.js'

/** Fields of a record by their names in the layout: numbers; words for states and flags; `0x…` for 64 bits; lists of lengths. */
export type RecordFields = Readonly<Record<string, number | string | readonly (number | string)[]>>

/** What an arena's tables say. Slots that ever had a worker, runs that are open, blocks in use. */
export interface ArenaTables {
  readonly header: RecordFields
  readonly engine: RecordFields
  readonly slots: readonly RecordFields[]
  readonly runs: readonly RecordFields[]
  readonly blocks: readonly RecordFields[]
}

type Table = Readonly<Record<string, number>>
/** Starts of regions, in the header's table. */
const REGIONS = new Set(['SLOTS', 'GUARD', 'RUNS', 'THREADS', 'METERS', 'RECORDER', 'DATA'])
const FLAGS = new Map<Table, Readonly<Record<string, Table>>>([
  [ARENA, { FLAGS: ARENA_FLAG }], [SLOT, { MAIL }], [RUN, { FLAGS: RUN_FLAG }], [BLOCK, { FLAGS: BLOCK_FLAG }],
])
const WORDS = new Map<Table, Readonly<Record<string, Table>>>([[SLOT, { STATUS: SLOT_STATUS, PHASE: SLOT_PHASE }]])

/**
 * Reads the tables of an arena's fixed part and its blocks (memory page, section 1 and MW-10), for people who look for a fault:
 * `millrace doctor --dump`. Any thread; what is written meanwhile may be seen half. Which fields have no writer, and why: docs/adr/0023.
 */
export function inspectArena(arena: Pick<Arena, 'u32' | 'u8' | 'base'>): ArenaTables {
  const { u32, base } = arena, word = (at: Address): number => Atomics.load(u32, at >>> 2)
  const all = (count: number, at: (n: number) => Address, used: (at: Address) => boolean, table: Table): RecordFields[] =>
    Array.from({ length: count }, (_, n) => n).filter((n) => used(at(n))).map((n) => ({ index: n, ...fields(arena, at(n), table) }))
  return {
    header: fields(arena, base, ARENA), engine: fields(arena, threadAddress(base, 0), THREAD),
    slots: all(SLOT.COUNT, (n) => slotAddress(base, n), (at) => word(at + SLOT.EPOCH) !== 0, SLOT),
    runs: all(RUN.COUNT, (n) => base + ARENA.RUNS + n * RUN.BYTES, (at) => word(at + RUN.EPOCH) !== 0, RUN),
    blocks: all(word(base + ARENA.BLOCK_CAPACITY), (n) => entryAddress(word(base + ARENA.BLOCK_TABLE), n), (at) =>
      (word(at + BLOCK.FLAGS) & BLOCK_FLAG.VALID) !== 0, BLOCK),
  }
}

function fields({ u32, u8 }: Pick<Arena, 'u32' | 'u8'>, at: Address, table: Table): RecordFields {
  const word = (offset: number): number => Atomics.load(u32, (at + offset) >>> 2)
  const signed = (name: string): boolean => name.endsWith('_I32') || name === 'KERNEL_STATUS'
  return Object.fromEntries(Object.entries(table).filter(([name]) =>
    name !== 'BYTES' && name !== 'COUNT' && !(table === ARENA && REGIONS.has(name))).map(([name, offset]) => {
      const value = word(offset), bits = FLAGS.get(table)?.[name], states = WORDS.get(table)?.[name]
      const key = name.toLowerCase().replace(/_[uif]\d+$/, '').replace(/_(.)/g, (_, c: string) => c.toUpperCase())
      if (bits !== undefined) return [key, Object.entries(bits).filter(([, bit]) => value & bit).map(([flag]) => flag)]
      if (states !== undefined) return [key, Object.keys(states).find((state) => states[state] === value) ?? value]
      if (name.endsWith('_U8')) return [key, u8[at + offset]!]
      if (name.endsWith('_U64')) return [key, `0x${(BigInt(word(offset + 4)) << 32n | BigInt(value)).toString(16)}`]
      if (table === BLOCK && (name === 'SHAPE' || name === 'STRIDES')) {
        return [key, Array.from({ length: Math.min(8, u8[at + BLOCK.NDIM_U8]!) }, (_, d) => word(offset + d * 4))]
      }
      return [key, signed(name) ? value | 0 : value]
    }))
}
