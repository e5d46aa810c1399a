/** A part of the library whose file does not come. */
import { describe, expect, test } from 'vitest'
import { loadPart } from '../../src/errors/load-part.js'

describe('loadPart', () => {
  test('gives the part', async () => { expect(await loadPart('engine', () => Promise.resolve(7))).toBe(7) })

  test('a file that does not load is NETWORK with its cause and what to do', async () => {
    const cause = new TypeError('Failed to fetch dynamically imported module: https://example.org/start.js')
    await expect(loadPart('engine', () => Promise.reject(cause))).rejects.toMatchObject({
      code: 'NETWORK', cause, retryable: true, message: expect.stringContaining('start.js') as string,
      hint: expect.stringContaining('reload the page') as string,
    })
  })

  test('a part behind a top-level await in the same file is named as such', async () => {
    await expect(loadPart('engine', () => Promise.resolve(undefined))).rejects
      .toMatchObject({ code: 'NETWORK', message: expect.stringContaining('top-level await') as string })
  })
})
