import { expect, test } from 'vitest'
import { createArena } from '../../src/memory/arena.js'
import { ARENA, QUEUE, RECORD, RING, RUN, SLOT, TASK, THREAD } from '../../src/memory/layout.js'
import { createRing } from '../../src/memory/ring/audio-ring.js'

/** Bytes that travel between processors together. */
const LINE = 64
const lineOf = (at: number): number => Math.floor(at / LINE)

/** Every region of the arena's header: where it starts and how many bytes it has. */
const REGIONS: Readonly<Record<string, readonly [number, number]>> = {
  head: [ARENA.MAGIC_LOW, ARENA.SLOTS], slots: [ARENA.SLOTS, SLOT.BYTES * SLOT.COUNT], guard: [ARENA.GUARD, 64],
  ready: [ARENA.READY_EVENT, 8], host: [ARENA.HOST_EVENT, 8],
  runs: [ARENA.RUNS, RUN.BYTES * RUN.COUNT], threads: [ARENA.THREADS, THREAD.BYTES * THREAD.COUNT], meters: [ARENA.METERS, 128 * 64],
  recorderNext: [ARENA.RECORDER_NEXT, 4],
  recorder: [ARENA.RECORDER, RECORD.BYTES * RECORD.COUNT],
}

test('regions of the header share no line with each other: the ready event, the host event and the recorder\'s count have lines of their own (MW-03)', () => {
  const owner = new Map<number, string>()
  for (const [name, [start, bytes]] of Object.entries(REGIONS)) {
    for (let line = lineOf(start); line <= lineOf(start + bytes - 1); line++) {
      expect(owner.get(line), `line ${line} of ${name}`).toBeUndefined()
      owner.set(line, name)
    }
  }
  expect(lineOf(ARENA.DATA)).toBeGreaterThan(Math.max(...owner.keys()))
  // Who sleeps on an event is counted beside it: both are touched by the same act.
  expect([lineOf(ARENA.READY_SLEEPERS), lineOf(ARENA.HOST_SLEEPERS)]).toEqual([lineOf(ARENA.READY_EVENT), lineOf(ARENA.HOST_EVENT)])
})

test.each([
  ['slot', ARENA.SLOTS, SLOT], ['run', ARENA.RUNS, RUN], ['thread', ARENA.THREADS, THREAD], ['task', 0, TASK],
])('a %s record fills lines of its own, so no heartbeat or claim touches a neighbour\'s', (_, start, record) => {
  expect([start % LINE, record.BYTES % LINE]).toEqual([0, 0])
  const { BYTES, COUNT: _count, ...fields } = record as Readonly<Record<string, number>> & { readonly BYTES: number }
  for (const [name, offset] of Object.entries(fields)) expect(offset, name).toBeLessThan(BYTES)
  expect(new Set(Object.values(fields)).size).toBe(Object.keys(fields).length)
})

test('a ring\'s writer and reader, and a lane\'s head, tail and cells, stand on different lines', () => {
  const writer = [RING.WRITE, RING.WRITER_EVENT, RING.FLAGS, RING.WRITER_SLEEPERS, RING.SEEN_READ]
  const reader = [RING.READ, RING.READER_EVENT, RING.UNDERRUNS, RING.READER_SLEEPERS, RING.SEEN_WRITE]
  const both = [
    RING.CAPACITY, RING.CHANNELS, RING.STRIDE, RING.DTYPE, RING.DROPPED, RING.OVERRUNS, RING.POSITION_U64, RING.POSITION_U64 + 4,
  ]
  const lines = [writer, reader, both, [RING.DATA]].map((words) => new Set(words.map(lineOf)))
  expect(lines.map((set) => set.size)).toEqual([1, 1, 1, 1])
  expect(new Set(lines.map((set) => [...set][0])).size).toBe(4)
  expect(new Set([QUEUE.HEAD, QUEUE.TAIL, QUEUE.MASK, QUEUE.CELLS].map(lineOf)).size).toBe(4)
  expect([QUEUE.NEXT, QUEUE.FACTS].map(lineOf)).toEqual([lineOf(QUEUE.MASK), lineOf(QUEUE.MASK)])
})

test('the offsets hold for addresses too: an arena, its blocks and its rings begin on a line, in every mode', () => {
  for (const wasm of [true, false]) {
    const arena = createArena({ bytes: 2 ** 24, shared: false, wasm })
    expect(arena.base % LINE).toBe(0)
    for (const bytes of [1, 63, 65, 1_000]) expect(arena.alloc(bytes).address % LINE).toBe(0)
    for (const frames of [16, 32, 1_024]) expect(createRing(arena, { frames }).address % LINE).toBe(0)
    expect([arena.scratch, arena.allocate(QUEUE.CELLS + 8 * QUEUE.CELL_BYTES), arena.allocate(TASK.BYTES)].map((at) => at % LINE))
      .toEqual([0, 0, 0])
  }
})
