import { expect, inject, test } from 'vitest'

test('the project says truly whether its pages are cross-origin isolated', () => {
  const isolated = inject('isolated')
  expect(crossOriginIsolated).toBe(isolated)
  expect(typeof SharedArrayBuffer === 'function').toBe(isolated)
})
