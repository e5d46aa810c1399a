/**
 * Setup of every project: typed arrays that are equal are found so element by element. Vitest's own comparison walks their keys,
 * which takes seconds for a few seconds of audio.
 */
import { expect } from 'vitest'

expect.addEqualityTesters([(a: unknown, b: unknown): true | undefined => {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor || a instanceof DataView) return undefined
  const left = a as unknown as Readonly<ArrayLike<number>>, right = b as unknown as Readonly<ArrayLike<number>>
  if (left.length !== right.length) return undefined
  for (let i = 0; i < left.length; i++) if (!Object.is(left[i], right[i])) return undefined
  // What differs is told by vitest's own.
  return true
}])
