import { expect, test } from 'vitest'
import { embedGraph } from '../../../src/graph/embed/index.js'
import { PNG, WEBP } from '../../support/tiny-media.js'

test.each([['png', PNG], ['webp', WEBP]] as const)('a browser still decodes a %s that carries a graph', async (format, file) => {
  const bitmap = await createImageBitmap(new Blob([embedGraph(file, '{ "millrace": 1, "nodes": [] }')], { type: `image/${format}` }))
  expect([bitmap.width, bitmap.height]).toEqual([1, 1])
})
