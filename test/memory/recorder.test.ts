import { expect, test } from 'vitest'
import { ARENA, RECORD, RECORD_KIND } from '../../src/memory/layout.js'
import { readRecords, record } from '../../src/memory/recorder.js'

const words = (): Uint32Array => new Uint32Array(ARENA.DATA / 4)

test('entries come back oldest first, those of one slot alone too', () => {
  const u32 = words()
  record(u32, 0, 5, 3, RECORD_KIND.KERNEL, 1, 9, 0)
  record(u32, 0, 6, -1, RECORD_KIND.BOOT, 0, 0, 12)
  record(u32, 0, 7, 3, RECORD_KIND.END_KERNEL, 1, 9, -5)
  const kernel = { timeUs: 5, slot: 3, kind: 'kernel', run: 0, task: 8, value: 0 }, end = { timeUs: 7, slot: 3, kind: 'end kernel', run: 0, task: 8, value: -5 }
  expect(readRecords(u32, 0)).toEqual([kernel, { timeUs: 6, slot: -1, kind: 'boot', run: -1, task: -1, value: 12 }, end])
  expect(readRecords(u32, 0, 10, 3)).toEqual([kernel, end])
  expect(readRecords(u32, 0, 1)).toEqual([end])
})

test('the oldest are replaced; nothing outside the ring is touched', () => {
  const u32 = words()
  for (let n = 0; n < RECORD.COUNT + 10; n++) record(u32, 0, n, 0, RECORD_KIND.QUEUE, 0, 0, n)
  const all = readRecords(u32, 0)
  expect([all.length, all[0]!.value, all.at(-1)!.value]).toEqual([RECORD.COUNT, 10, RECORD.COUNT + 9])
  expect(u32.subarray(0, ARENA.RECORDER_NEXT / 4).every((word) => word === 0)).toBe(true)
  expect(ARENA.RECORDER + RECORD.COUNT * RECORD.BYTES).toBe(ARENA.DATA)
})
