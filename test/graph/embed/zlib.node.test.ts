import { deflateSync, inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { extractGraph } from '../../../src/graph/embed/index.js'

const workflow = JSON.stringify({ nodes: [{ id: 1, type: 'LoadImage' }], links: [], extra: { note: 'x'.repeat(5_000) } })
const inflate = (bytes: Uint8Array, most: number): Uint8Array => inflateSync(bytes, { maxOutputLength: most })
/** A PNG of text chunks alone: checksums and pictures are not looked at. */
const png = (type: string, body: Uint8Array): Uint8Array => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), length, Buffer.from(type), body, Buffer.alloc(4)])
}

test('zTXt and compressed iTXt with zlib of Node', () => {
  const packed = deflateSync(workflow)
  for (const file of [
    png('zTXt', Buffer.concat([Buffer.from('workflow\0\0'), packed])),
    png('iTXt', Buffer.concat([Buffer.from('workflow\0\u0001\0\0\0'), packed])),
  ]) {
    expect(extractGraph(file, { inflate }).get('workflow')).toBe(workflow)
    expect(importDocument(file, { inflate }).document.nodes).toMatchObject([{ id: '1', type: 'LoadImage' }])
  }
})

test('a text that unpacks beyond the limit is passed over', () => {
  const bomb = png('zTXt', Buffer.concat([Buffer.from('workflow\0\0'), deflateSync(Buffer.alloc(20_000_000, 0x20))]))
  expect(extractGraph(bomb, { inflate }).size).toBe(0)
  expect(() => importDocument(bomb, { inflate })).toThrow(expect.objectContaining({ code: 'IMPORT_UNSUPPORTED' }))
})
