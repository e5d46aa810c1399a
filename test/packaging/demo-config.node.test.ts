/** The demo's dev and preview servers send the isolation headers (PK-43), and its paths are relative: it works below any path (PK-73). */
import { expect, test } from 'vitest'
import config from '../../demo/vite.config.mjs'

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

test('dev server and preview isolate their pages', () => {
  expect(config.server?.headers).toEqual(ISOLATION)
  expect(config.preview?.headers).toEqual(ISOLATION)
})

test('the base is relative', () => {
  expect(config.base).toBe('./')
})
