/** An engine hears of its page's end as long as it is open, no longer (MW-51). What the event does: page-leaves.browser.test.ts. */
import { afterEach, expect, test, vi } from 'vitest'
import { createEngine } from '../../src/index.js'

afterEach(() => { vi.unstubAllGlobals() })

test('the listener for the page\'s end goes with the engine', async () => {
  const heard = new Set<(event: { persisted: boolean }) => void>()
  vi.stubGlobal('document', {})
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => { if (type === 'pagehide') heard.add(listener) })
  vi.stubGlobal('removeEventListener', (type: string, listener: () => void) => { if (type === 'pagehide') heard.delete(listener) })
  const options = { tier: 'js', arenaBytes: 2 ** 24, workers: 0 } as const
  const one = await createEngine(options), other = await createEngine(options)
  expect(heard.size).toBe(2)
  await one.close()
  expect(heard.size).toBe(1)
  for (const [persisted, left] of [[true, 1], [false, 0]] as const) {
    for (const listener of heard) listener({ persisted })
    expect(heard.size).toBe(left)
  }
  await other.close()
})
