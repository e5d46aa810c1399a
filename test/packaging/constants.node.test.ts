/** What the build writes in place of `TABLE.FIELD` are the tables' numbers, and nothing else changes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bundleWorker } from '../../scripts/inline.mjs'
import { withConstants } from '../../scripts/lib/constants.mjs'
import { listFiles } from '../../scripts/lib/hash.mjs'
import { layoutHash, SLOT } from '../../src/memory/layout.js'
import { STATUS } from '../../src/kernels/contract.js'

const root = fileURLToPath(new URL('../..', import.meta.url)), user = join(root, 'src/workers/any.ts')

describe('constants', () => {
  test('numbers for fields of imported tables, negative ones too; types, strings and other names stay', async () => {
    const text = "import { SLOT } from '../memory/layout.js'\nimport { STATUS } from '../kernels/contract.js'\n"
    const code =
      "const a = SLOT.MAIL / 4 + own.SLOT.MAIL, b: typeof SLOT.MAIL = STATUS.CANCELLED, c = 'SLOT.MAIL', d = SLOT.NOTHING, e = TASK.STATE\n"
    expect(await withConstants(user, text + code))
      .toBe(`${text}const a = (${SLOT.MAIL}) / 4 + own.SLOT.MAIL, b: typeof SLOT.MAIL = (${STATUS.CANCELLED}), c = 'SLOT.MAIL', d = SLOT.NOTHING, e = TASK.STATE\n`)
    expect(STATUS.CANCELLED).toBeLessThan(0)
  })

  test('the hash of the layout is written out, and no line of any source moves', async () => {
    expect(await withConstants(join(root, 'src/memory/layout.ts'))).toContain(`layoutHash(): number { return ${layoutHash()} }`)
    for (const path of listFiles(join(root, 'src'), (file) => file.endsWith('.ts'))) {
      const text = readFileSync(join(root, 'src', path), 'utf8')
      expect((await withConstants(join(root, 'src', path), text)).split('\n').length, path).toBe(text.split('\n').length)
    }
  })

  test('no table is left in the code of workers', { timeout: 60_000 }, async () => {
    const { code } = await bundleWorker(join(root, 'src/workers/worker-entry.ts'))
    expect(code.match(/\b(SLOT_LIMIT|READY_SLEEPERS|TASKS_RUNNING|DONE_WRITTEN)\b/g)).toBeNull()
  })
})
