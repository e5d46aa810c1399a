/** Documents shown in docs/graphs.md hold what it says: each is read without a remark and accepted. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createRegistry, parseDocument, validate } from '../../src/index.js'
import * as nodes from '../../src/nodes/index.js'

const page = readFileSync(fileURLToPath(new URL('../../docs/graphs.md', import.meta.url)), 'utf8')
const documents = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text!).filter((text) => text.includes('"millrace"'))
const registry = createRegistry(...Object.values(nodes).filter((one) => 'definition' in one) as never[])

describe('documents of the page about graphs', () => {
  test('there are some', () => { expect(documents.length).toBeGreaterThanOrEqual(3) })

  test.each(documents)('%s', (text) => {
    const { document, diagnostics } = parseDocument(text, { strict: true })
    expect(diagnostics).toEqual([])
    expect(validate(document!, registry).filter(({ severity }) => severity !== 'info')).toEqual([])
  })

  test('media of a port, in a loop, bring the converters that the page promises', () => {
    const { document } = parseDocument(documents.find((text) => text.includes('delayFrames'))!)
    expect(validate(document!, registry).map(({ code, message }) => [code, /audio::\w+/.exec(message)?.[0]]))
      .toEqual([['CONVERTER_INSERTED', 'audio::resample'], ['CONVERTER_INSERTED', 'audio::resample']])
  })
})
