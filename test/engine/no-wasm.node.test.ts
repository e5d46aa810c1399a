import { afterEach, expect, test, vi } from 'vitest'
import { createEngine } from '../../src/index.js'

afterEach(() => { vi.unstubAllGlobals() })

test.each([
  'wasm', 'wasm-threads',
] as const)('a host without WebAssembly: tier %s gives that as the reason, and not that the host shares memory', async (tier) => {
  vi.stubGlobal('WebAssembly', undefined)
  const error = await createEngine({ tier }).then(() => undefined, (e: unknown) => e as Error)
  expect(error).toMatchObject({ code: 'TIER_UNAVAILABLE', message: expect.stringContaining('WebAssembly') })
  expect(error!.message).not.toContain('the host shares memory')
  if (tier === 'wasm-threads') expect(error!.message).toContain('shared memory (WebAssembly is missing)')
})
