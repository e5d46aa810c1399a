import { expect, test } from 'vitest'
import type { ArenaTables } from '../../src/memory/inspect-arena.js'
import { call } from './support.js'

test('doctor --dump prints what threads did, oldest first', async () => {
  const { code, out } = await call(['doctor', '--dump', '--json'])
  const { mode, workers, records, arena } = JSON.parse(out) as {
    mode: { mode: string }
    workers: { count: number }
    records: { timeUs: number; slot: number; thread?: string; kind: string }[]
    arena: ArenaTables
  }
  expect([code, mode.mode, workers.count]).toEqual([0, 'shared', 3])
  expect(records.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['boot', 'end boot', 'kernel', 'end kernel']))
  expect(records.filter(({ thread }) => thread === 'script 1').map(({ kind }) => kind))
    .toEqual(['boot', 'end boot', 'script', 'end script', 'script', 'end script', 'end script'])
  for (const slot of [0, 1]) {
    const times = records.filter((one) => one.slot === slot).map(({ timeUs }) => timeUs)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
  }
  // The worker that did it says so; it may not have left it yet.
  expect(arena.slots.map(({ index, pid }) => [index, pid])).toEqual([[0, 1], [1, 2]])
  for (const { status } of arena.slots) expect(['IDLE', 'BUSY']).toContain(status)
  expect(arena.slots.filter(({ blocks, jobLow, jobHigh }) => Number(blocks) > 0 && Number(jobLow) > 0 && Number(jobHigh) > 0).length)
    .toBeGreaterThan(0)
  expect(arena.header).toMatchObject({ flags: ['READY'], version: 1 })
  expect(Number(arena.header['clock'])).toBeGreaterThan(0)
  expect(arena.blocks.every(({ flags, refcount, size }) =>
    (flags as string[]).includes('VALID') && Number(refcount) > 0 && Number(size) >= 0) && arena.blocks.length > 0).toBe(true)
  const text = await call(['doctor', '--dump'])
  expect(text.out).toMatch(/wasm-threads, shared: 3 threads, 0 lost/)
  expect(text.out).toMatch(/slot \d +end kernel +0 +0/)
  expect(text.out).toMatch(/script 1 +end script/)
})
