import { expect, test } from 'vitest'
import { ARENA, RECORD, RECORD_KIND, RECORD_THREAD } from '../../src/memory/layout.js'
import { ownLog, postable, readRecords, record, threadNotes } from '../../src/memory/recorder.js'

const words = (): Uint32Array => new Uint32Array(ARENA.DATA / 4)

test('entries come back oldest first, those of one slot alone too', () => {
  const log = { u32: words(), base: 0 }
  record(log, 5, 3, RECORD_KIND.KERNEL, 1, 9, 0)
  record(log, 6, -1, RECORD_KIND.BOOT | RECORD_THREAD.WORKER, 12, 0, 12)
  record(log, 7, 3, RECORD_KIND.END_KERNEL, 1, 9, -5)
  const kernel = { timeUs: 5, slot: 3, kind: 'kernel', run: 0, task: 8, value: 0 }
  const end = { timeUs: 7, slot: 3, kind: 'end kernel', run: 0, task: 8, value: -5 }
  expect(readRecords(log)).toEqual([kernel, { timeUs: 6, slot: -1, thread: 'worker 12', kind: 'boot', run: -1, task: -1, value: 12 }, end])
  expect(readRecords(log, 10, ({ slot }) => slot === 3)).toEqual([kernel, end])
  expect(readRecords(log, 1)).toEqual([end])
})

test('threads without a slot bear their ordinal and the number of their job; slot 255 is a slot', () => {
  const log = { u32: words(), base: 0 }, note = threadNotes(log, () => 40, RECORD_THREAD.SCRIPT, 7)
  note(RECORD_KIND.SCRIPT, 21)
  note(RECORD_KIND.END_SCRIPT, 0, 2)
  record(log, 41, 255, RECORD_KIND.KERNEL, 64, 1, 0)
  expect(readRecords(log)).toEqual([
    { timeUs: 40, slot: -1, thread: 'script 7', kind: 'script', run: -1, task: 21, value: 0 },
    { timeUs: 40, slot: -1, thread: 'script 7', kind: 'end script', run: -1, task: 0, value: 2 },
    { timeUs: 41, slot: 255, kind: 'kernel', run: 63, task: 0, value: 0 }])
})

test('the oldest are replaced; nothing outside the ring is touched', () => {
  const u32 = words(), log = { u32, base: 0 }
  for (let n = 0; n < RECORD.COUNT + 10; n++) record(log, n, 0, RECORD_KIND.QUEUE, 0, 0, n)
  const all = readRecords(log)
  expect([all.length, all[0]!.value, all.at(-1)!.value]).toEqual([RECORD.COUNT, 10, RECORD.COUNT + 9])
  expect(u32.subarray(0, ARENA.RECORDER_NEXT / 4).every((word) => word === 0)).toBe(true)
  expect(ARENA.RECORDER + RECORD.COUNT * RECORD.BYTES).toBe(ARENA.DATA)
})

test('a log of its own holds as many and no more; it is posted where the host shares memory, an arena never is', () => {
  const log = ownLog()
  for (let n = 0; n < RECORD.COUNT + 3; n++) record(log, n, 9, RECORD_KIND.KERNEL, 1, 1, n)
  expect([readRecords(log).length, readRecords(log)[0]!.value, readRecords(log).at(-1)!.value]).toEqual([RECORD.COUNT, 3, RECORD.COUNT + 2])
  const shares = typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false
  expect(postable(log)).toBe(shares ? log.u32.buffer : undefined)
  if (shares) expect(postable({ u32: new Uint32Array(new SharedArrayBuffer(64)), base: 0 })).toBeUndefined()
})
