import { describe, expect, test } from 'vitest'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { embedGraph, extractGraph } from '../../../src/graph/embed/index.js'
import { readExif } from '../../../src/graph/embed/exif.js'
import { createRegistry } from '../../../src/graph/registry.js'
import { PNG, WAV, WEBP, chunk, join, u32, utf8 } from '../../support/tiny-media.js'
import { thrown } from '../../support/loose.js'

const withChunks = (...chunks: readonly Uint8Array[]): Uint8Array => join(PNG.subarray(0, 33), ...chunks, PNG.subarray(33))
const DOCUMENT = { millrace: 1, meta: { name: 'Größe \u{1f600}' }, nodes: [{ id: 'a', type: 'A' }] } as const
const TEXT = writeDocument(DOCUMENT)
const WORKFLOW = { nodes: [{ id: 1, type: 'LoadImage' }], links: [], version: 0.4 }

const cases = [['png', PNG], ['webp', WEBP], ['wav', WAV]] as const

describe.each(cases)('a graph in a %s file', (format, file) => {
  test('goes in and comes out', () => {
    const carrying = embedGraph(file, TEXT)
    expect(extractGraph(carrying)).toEqual(new Map([['millrace', TEXT]]))
    expect(importDocument(carrying).document).toEqual(DOCUMENT)
    expect(extractGraph(file).size).toBe(0)
  })

  test('no other byte changes, except a RIFF file’s length', () => {
    const carrying = embedGraph(file, TEXT), added = carrying.length - file.length
    const at = format === 'png' ? 33 : carrying.length - added
    const rest = join(carrying.subarray(0, at), carrying.subarray(at + added))
    if (format === 'png') expect(rest).toEqual(file)
    else {
      expect(rest.subarray(0, 4)).toEqual(file.subarray(0, 4))
      expect(rest.subarray(8)).toEqual(file.subarray(8))
      expect(new DataView(carrying.buffer).getUint32(4, true)).toBe(carrying.length - 8)
    }
  })

  test('a second one takes the place of the first; other keys stay', () => {
    const once = embedGraph(embedGraph(file, JSON.stringify(WORKFLOW), 'workflow'), 'old'), twice = embedGraph(once, TEXT)
    expect([...extractGraph(twice)].sort()).toEqual([['millrace', TEXT], ['workflow', JSON.stringify(WORKFLOW)]])
    expect(embedGraph(twice, 'old')).toEqual(embedGraph(embedGraph(twice, 'x'), 'old'))
    expect(importDocument(embedGraph(file, JSON.stringify(WORKFLOW), 'workflow')).report.dialect).toBe('comfyui-workflow')
  })

  test('cut files: read as far as they go, never written', () => {
    const carrying = embedGraph(file, TEXT)
    for (let length = 12; length < carrying.length; length++) {
      const cut = carrying.slice(0, length)
      if (format !== 'png' || length < carrying.length - 12) expect(extractGraph(cut).get('millrace') ?? TEXT).toBe(TEXT)
      const refused = thrown(() => embedGraph(cut, 'x'))
      if (refused !== undefined) expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    expect(thrown(() => embedGraph(carrying.slice(0, -1), 'x')))
      .toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/whole/) as string })
  })
})

describe('texts of PNG files', () => {
  const iTXt = (key: string, packed: number, body: Uint8Array): Uint8Array =>
    chunk('iTXt', join(key, [0, packed, 0], 'de', [0], 'Titel', [0], body))

  test('tEXt and iTXt as ComfyUI writes them: workflow before prompt', () => {
    const prompt = JSON.stringify({ 1: { class_type: 'LoadImage', inputs: {} } })
    const file = withChunks(
      chunk('tEXt', join('prompt', [0], prompt)), chunk('tEXt', join('workflow', [0], JSON.stringify(WORKFLOW))),
      chunk('tEXt', join('Software', [0], 'x')),
    )
    expect(importDocument(file).report.dialect).toBe('comfyui-workflow')
    expect(importDocument(withChunks(chunk('tEXt', join('prompt', [0], prompt)))).report.dialect).toBe('comfyui-api')
    expect(extractGraph(withChunks(iTXt('workflow', 0, utf8('{"ü":1}')))).get('workflow')).toBe('{"ü":1}')
    expect(extractGraph(withChunks(chunk('tEXt', join('workflow', [0], [0xfc])))).get('workflow')).toBe('ü')
  })

  test('a picture that ComfyUI made comes out as its workflow', () => {
    const file = withChunks(chunk('tEXt', join('workflow', [0], JSON.stringify(WORKFLOW))))
    const { document, report } = importDocument(file)
    expect(JSON.parse(exportDocument(fromDocument(document, createRegistry()), report.dialect).text)).toMatchObject(WORKFLOW)
  })

  test('compressed texts are unpacked where an inflater is given, and passed over else', () => {
    const stored = (text: string): Uint8Array => utf8(`<${text}>`), inflate = (packed: Uint8Array): Uint8Array => packed.slice(1, -1)
    const file = withChunks(chunk('zTXt', join('workflow', [0, 0], stored('{}'))), iTXt('prompt', 1, stored('[]')))
    expect(extractGraph(file).size).toBe(0)
    expect([...extractGraph(file, { inflate })]).toEqual([['workflow', '{}'], ['prompt', '[]']])
    expect(extractGraph(file, { inflate: () => { throw new Error('damaged') } }).size).toBe(0)
    expect(extractGraph(file, { inflate, most: 1 }).size).toBe(0)
    expect(thrown(() => importDocument(file)))
      .toMatchObject({ code: 'IMPORT_UNSUPPORTED', message: expect.stringMatching(/because the file holds no graph\.$/) as string })
  })

  test('broken chunks give nothing', () => {
    for (const data of [join([0], 'x'), join('k'.repeat(80), [0], 'x'), utf8('no end')]) {
      expect(extractGraph(withChunks(chunk('tEXt', data))).size).toBe(0)
    }
    for (const data of [join('k', [0, 0, 0], 'no title'), join('k', [0, 1, 9, 0, 0], 'x'), join('k', [0, 0, 0, 0, 0], [0xff])]) {
      expect(extractGraph(withChunks(chunk('iTXt', data)), { inflate: (bytes) => bytes }).size).toBe(0)
    }
  })
})

describe('texts of RIFF files', () => {
  const exif = (little: boolean, entries: readonly (readonly [tag: number, type: number, text: string])[]): Uint8Array => {
    const u16 = (value: number): number[] => little ? [value & 255, value >> 8] : [value >> 8, value & 255]
    const long = (value: number): Uint8Array => u32(value, little)
    const start = 8 + 2 + 12 * entries.length + 4
    let data = new Uint8Array()
    const rows = entries.map(([tag, type, text]) => {
      const bytes = join(text, [0])
      const row = join(
        u16(tag), u16(type), long(bytes.length),
        bytes.length <= 4 ? join(bytes, new Uint8Array(4)).subarray(0, 4) : long(start + data.length),
      )
      if (bytes.length > 4) data = join(data, bytes)
      return row
    })
    return join(little ? 'II' : 'MM', u16(42), long(8), u16(entries.length), ...rows, long(0), data)
  }

  test.each([true, false])('EXIF of a WebP as ComfyUI writes it (little endian: %s)', (little) => {
    const data = exif(little, [
      [0x010f, 2, `workflow:${JSON.stringify(WORKFLOW)}`], [0x0110, 2, 'prompt:{"1":{"class_type":"A"}}'], [0x0111, 4, 'prompt:no'],
      [0x0112, 2, 'a:b'],
    ])
    const file = join(
      'RIFF', u32(WEBP.length + data.length, true), 'WEBP', 'EXIF', u32(data.length, true), data, data.length % 2 === 1 ? [0] : [],
      WEBP.subarray(12),
    )
    expect(importDocument(file).report.dialect).toBe('comfyui-workflow')
    expect(extractGraph(file).get('a')).toBe('b')
    expect(readExif(join('Exif\0\0', data), 1e6)).toEqual(readExif(data, 1e6))
  })

  test('EXIF that points outside itself gives nothing', () => {
    const data = exif(true, [[0x010f, 2, 'workflow:{}']])
    for (let at = 0; at < data.length; at++) {
      for (const value of [0, 0x7f, 0xff]) { const bad = data.slice(); bad[at] = value; expect(() => readExif(bad, 1e6)).not.toThrow() }
    }
    for (let length = 0; length < data.length; length++) expect(() => readExif(data.subarray(0, length), 1e6)).not.toThrow()
  })

  test('a WAV keeps its own LIST chunk', () => {
    const list = join('LIST', u32(14, true), 'INFO', 'ICMT', u32(2, true), 'hi'), own = join(WAV, [0], list)
    new DataView(own.buffer).setUint32(4, own.length - 8, true)
    const carrying = embedGraph(own, TEXT)
    expect(carrying.subarray(8, own.length)).toEqual(own.subarray(8))
    expect(embedGraph(carrying, 'b').subarray(8, own.length)).toEqual(own.subarray(8))
  })
})

describe('misuse', () => {
  test('other formats and bad keys', () => {
    expect(thrown(() => embedGraph(utf8('GIF89a'), TEXT))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(thrown(() => extractGraph(new Uint8Array(0)))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    for (const key of ['', 'ä', 'a b', 'k'.repeat(33)]) {
      expect(thrown(() => embedGraph(PNG, TEXT, key))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
  })

  test('lone surrogates become U+FFFD', () => {
    expect(extractGraph(embedGraph(PNG, 'a\ud800b\udc00c\u{1f600}')).get('millrace')).toBe('a\ufffdb\ufffdc\u{1f600}')
  })
})
