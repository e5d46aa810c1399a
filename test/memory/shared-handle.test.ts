import { expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { createArena } from '../../src/memory/arena.js'
import { makeHandle } from '../../src/memory/handle.js'
import { resolveHandle } from '../../src/memory/shared-handle.js'

test('the public table gives what the engine gives, and refuses what it refuses', () => {
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: true, id: 7 })
  const other = createArena({ bytes: 2 ** 24, shared: false, wasm: true, id: 8 })
  const reason = (handle: number): unknown => {
    try {
      return resolveHandle(arena.u32, arena.base, handle)
    } catch (error) {
      return isMillraceError(error) ? [error.code, error.details['reason']] : error
    }
  }
  const block = arena.alloc(1000), { handle } = block
  expect(reason(handle)).toEqual({ address: block.address, bytes: 1000 })
  expect(reason(other.alloc(64).handle)).toEqual(['INVALID_HANDLE', 'arena'])
  for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 53, makeHandle(7, 1, 999_999)]) expect(reason(bad)).toEqual(['INVALID_HANDLE', 'bounds'])
  block.release()
  expect(reason(handle)).toEqual(['INVALID_HANDLE', 'freed'])
  arena.alloc(64)
  expect(reason(handle)).toEqual(['INVALID_HANDLE', 'generation'])
})
