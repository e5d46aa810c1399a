import { expect, test } from 'vitest'
import * as main from '../../src/index.js'
import * as memory from '../../src/memory-tools.js'
import * as nodes from '../../src/nodes/index.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { badUses, outcomeOf } from './bad-use.js'

/** As built, these run in test/packaging/bad-use.node.test.ts. */
test.each([
  ...(hostFacts().sab ? ['wasm-threads' as const] : []), 'wasm', 'js',
] as const)('stale handles, foreign arenas, double releases, use after close, sizes that are none, over-long names: refused with a code, never a trap (%s)', async (tier) => {
  const { uses, close } = await badUses({ main, memory, nodes }, tier), wrong: unknown[] = []
  for (const [what, use, code] of uses) {
    const got = await outcomeOf(use)
    if (got !== code) wrong.push([what, got, code])
  }
  await close()
  // As text: the message then names the row.
  expect(JSON.stringify(wrong)).toBe('[]')
})
