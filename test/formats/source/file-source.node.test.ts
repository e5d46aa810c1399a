import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openSource } from '../../../src/formats/source/open-source.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-source-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

test.skipIf(process.platform === 'win32')('a pipe without a writer is refused at once, and says how to read it', async () => {
  const pipe = join(folder, 'pipe')
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
  await expect(openSource(pipe)).rejects.toMatchObject({
    code: 'FILE_INVALID',
    message: `File ${pipe}: expected a regular file at byte 0, got a pipe.`,
    hint: expect.stringContaining('stream') as string,
  })
})

test('a folder is FILE_INVALID, a missing file NOT_FOUND', async () => {
  await expect(openSource(folder)).rejects
    .toMatchObject({ code: 'FILE_INVALID', message: expect.stringContaining('got a folder') as string })
  await expect(openSource(join(folder, 'none'))).rejects
    .toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('ENOENT') as string })
})
