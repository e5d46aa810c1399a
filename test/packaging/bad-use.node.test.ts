/**
 * Bad use of the files as built: the same refusals as of the sources, never a trap (issue 4). `npm test` builds dist
 * first; alone, a stale dist is skipped loudly.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runInThisContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { distIsCurrent } from '../../scripts/lib/fresh.mjs'
import { badUses, outcomeOf, type Build } from '../engine/bad-use.js'

const dist = fileURLToPath(new URL('../../dist', import.meta.url)), current = distIsCurrent()
if (!current) {
  if (process.env['CI']) throw new Error('dist: expected a current build, got a stale or missing one. Run `npm run build`.')
  console.warn('SKIP test/packaging/bad-use.node.test.ts: dist is missing or stale. Run `npm run build`.')
}
const entry = (name: string): Promise<never> => import(/* @vite-ignore */ pathToFileURL(join(dist, name)).href) as Promise<never>

async function modules(): Promise<Build> {
  const [main, nodes, memory] = await Promise.all(['index.js', 'nodes.js', 'memory.js'].map(entry))
  return { main: main!, nodes: nodes!, memory: memory! }
}
/** The script-tag file: engine and nodes in one; what works on memory is an entry of its own. */
async function scriptTag(): Promise<Build> {
  runInThisContext(readFileSync(join(dist, 'millrace.global.js'), 'utf8'), { filename: join(dist, 'millrace.global.js') })
  const all = (globalThis as { millrace?: unknown }).millrace as never
  return { main: all, nodes: all, memory: await entry('memory.js') }
}

describe.skipIf(!current).each([['modules', modules], ['script tag', scriptTag]] as const)('%s', (_name, load) => {
  test.each(['wasm-threads', 'wasm', 'js'] as const)('refused with a code, never a trap (%s)', async (tier) => {
    const { uses, close } = await badUses(await load(), tier), wrong: unknown[] = []
    for (const [what, use, code] of uses) {
      const got = await outcomeOf(use)
      if (got !== code) wrong.push([what, got, code])
    }
    await close()
    expect(uses.length).toBeGreaterThan(300)
    // As text: the message then names the row.
    expect(JSON.stringify(wrong)).toBe('[]')
  })
})
