import { expect, test } from 'vitest'
import { onAbort, unlessAborted } from '../../src/schedule/on-abort.js'

/** A signal that counts its listeners. */
function counted() {
  const abort = new AbortController(), { signal } = abort, seen = { now: 0 }
  const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => { seen.now++; add(...args) }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => { seen.now--; remove(...args) }
  return { abort, signal, seen }
}

test('one listener for all who wait, none once all have stopped', () => {
  const { signal, seen } = counted(), deaf = Array.from({ length: 30 }, () => onAbort(signal, () => undefined))
  expect(seen.now).toBe(1)
  for (const stop of deaf) { stop(); stop() }
  expect(seen.now).toBe(0)
  onAbort(signal, () => undefined)
  expect(seen.now).toBe(1)
})

test('each is called once, but for those that an earlier one has stopped', () => {
  const { abort, signal } = counted(), heard: string[] = []
  onAbort(signal, () => { heard.push('first'); stopSecond() })
  const stopSecond = onAbort(signal, () => { heard.push('second') })
  onAbort(signal, () => { heard.push('third') })
  abort.abort()
  abort.abort()
  expect(heard).toEqual(['first', 'third'])
})

test('unlessAborted gives what the work gives, or the reason, and leaves no listener', async () => {
  const { abort, signal, seen } = counted()
  expect(await unlessAborted(Promise.resolve(3), signal)).toBe(3)
  await Promise.resolve()
  expect(seen.now).toBe(0)
  const waiting = unlessAborted(new Promise(() => undefined), signal)
  abort.abort(new Error('stop'))
  await expect(waiting).rejects.toThrow('stop')
  await expect(unlessAborted(Promise.resolve(3), signal)).rejects.toThrow('stop')
})
