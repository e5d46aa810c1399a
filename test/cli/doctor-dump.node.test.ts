import { expect, test } from 'vitest'
import { call } from './support.js'

test('doctor --dump prints what threads did, oldest first', async () => {
  const { code, out } = await call(['doctor', '--dump', '--json']), { mode, workers, records } = JSON.parse(out) as { mode: { mode: string }; workers: { count: number }; records: { timeUs: number; slot: number; thread?: string; kind: string }[] }
  expect([code, mode.mode, workers.count]).toEqual([0, 'shared', 3])
  expect(records.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['boot', 'end boot', 'kernel', 'end kernel']))
  expect(records.filter(({ thread }) => thread === 'script 1').map(({ kind }) => kind)).toEqual(['boot', 'end boot', 'script', 'end script', 'script', 'end script', 'end script'])
  for (const slot of [0, 1]) {
    const times = records.filter((one) => one.slot === slot).map(({ timeUs }) => timeUs)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
  }
  const text = await call(['doctor', '--dump'])
  expect(text.out).toMatch(/wasm-threads, shared: 3 threads, 0 lost/)
  expect(text.out).toMatch(/slot \d +end kernel +0 +0/)
  expect(text.out).toMatch(/script 1 +end script/)
})
