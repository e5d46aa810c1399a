import { describe, expect, test } from 'vitest'
import {
  chooseTier, missingFor, parseTier, tagOf, tierWithin, wantedTier, type HostFacts, type Tier, type TierChoice,
} from '../../src/graph/tiers.js'

const all: HostFacts = { wasm: true, simd: true, sab: true }
const hosts: Readonly<Record<string, readonly [HostFacts, Tier]>> = {
  'isolated': [all, 'wasm-threads'], 'not isolated': [{ ...all, sab: false }, 'wasm'], 'no SIMD': [{ ...all, simd: false }, 'js'],
  'no worker': [{ ...all, worker: false }, 'wasm'], 'no WebAssembly': [{ wasm: false, simd: false, sab: true }, 'js'],
}

describe('tier names (GR-42)', () => {
  test.each<[unknown, TierChoice | undefined]>([
    ['auto', 'auto'], ['wasm', 'wasm'], ['js', 'js'], ['wasm-threads', 'wasm-threads'], ['rust', ['wasm-threads', 'wasm']],
    ['wasm-simd', 'wasm'], ['python', 'js'],
    [' WASM ', 'wasm'], ['wasm-threads,js', ['wasm-threads', 'js']], [['wasm', 'wasm', 'js'], ['wasm', 'js']],
    [['rust', 'js'], ['wasm-threads', 'wasm', 'js']],
    ['fast', undefined], ['', undefined], [[], undefined], [['auto'], undefined], [['wasm', 'fast'], undefined], [3, undefined],
    [null, undefined], ['constructor', undefined],
  ])('%j', (given, expected) => { expect(parseTier(given)).toEqual(expected) })
})

describe('choice (GR-43, GR-44)', () => {
  test.each(Object.entries(hosts))('auto on a host that is %s', (_, [facts, tier]) => {
    const answer = chooseTier({ facts })
    expect(answer).toMatchObject({ tier, source: 'probe' })
    if (tier === 'wasm-threads') expect(answer).not.toHaveProperty('fellBack')
    else expect(answer).toMatchObject({ fellBack: { wanted: 'wasm-threads', missing: missingFor('wasm-threads', facts) } })
  })

  test('node over option over environment over probe; auto leaves it to the next', () => {
    const choices = ['wasm', 'js', 'auto', undefined] as const
    for (const node of choices) for (const option of choices) for (const environment of choices) {
      const ranked = ([['node', node], ['option', option], ['environment', environment]] as const)
        .find(([, choice]) => choice !== undefined && choice !== 'auto')
      expect(chooseTier({
        facts: all, ...(node !== undefined && { node }), ...(option !== undefined && { option }),
        ...(environment !== undefined && { environment }),
      })).toMatchObject({ tier: ranked?.[1] ?? 'wasm-threads', source: ranked?.[0] ?? 'probe' })
    }
  })

  test('a named tier never falls back', () => {
    for (const [facts] of Object.values(hosts)) {
      for (const tier of ['wasm-threads', 'wasm', 'js'] as const) {
        const missing = missingFor(tier, facts)
        expect(chooseTier({ node: tier, facts })).toMatchObject(missing.length === 0 ? { tier } : { tier: null, wanted: tier, missing })
      }
    }
    expect(missingFor('wasm-threads', { wasm: false, simd: false, sab: false, worker: false }))
      .toEqual(['WebAssembly', 'SIMD', 'shared memory', 'workers'])
  })

  test('a list falls back inside itself only, without a warning', () => {
    const facts = { ...all, sab: false }
    expect(chooseTier({ node: ['wasm-threads', 'wasm'], facts }))
      .toEqual({ tier: 'wasm', source: 'node', why: 'named by node; wasm-threads needs shared memory' })
    expect(chooseTier({ node: ['wasm-threads', 'wasm'], facts: { ...facts, simd: false } }))
      .toEqual({ tier: null, source: 'node', wanted: 'wasm-threads, wasm', missing: ['SIMD', 'shared memory'] })
  })

  test('without fallback auto takes the best tier or none', () => {
    expect(chooseTier({ facts: { ...all, sab: false }, fallback: false }))
      .toEqual({ tier: null, source: 'probe', wanted: 'wasm-threads', missing: ['shared memory'] })
    expect(chooseTier({ facts: all, fallback: false })).toMatchObject({ tier: 'wasm-threads' })
  })
})

/** Capability tags in every spelling: one tag (GR-41). */
describe('tagOf', () => {
  test.each([
    ['GPU', 'gpu'], ['  gpu\t', 'gpu'], ['Ä', 'ä'], ['A\u0308', 'ä'], ['a\u0308', 'ä'], ['\u212b', 'å'], ['\u03aa\u0301', '\u0390'],
    ['\u03aa\u0301'.normalize('NFD'), '\u0390'], ['ΟΔΟΣ', 'οδος'], ['İ', 'i\u0307'], ['ﬁ', 'ﬁ'], ['', ''],
  ])('%j is %j', (tag, form) => { expect(tagOf(tag)).toBe(form) })

  test('once is enough: every letter, alone and with a mark behind it', () => {
    for (let at = 0x41; at < 0x2fa1e; at++) {
      if (at >= 0xd800 && at <= 0xdfff) continue
      for (const tag of [String.fromCodePoint(at), `${String.fromCodePoint(at)}\u0301`]) {
        const once = tagOf(tag)
        if (tagOf(once) !== once || tagOf(tag.normalize('NFD')) !== once) {
          expect.fail(`U+${at.toString(16)}: ${JSON.stringify(tag)} ${JSON.stringify(once)} ${JSON.stringify(tagOf(once))} ${JSON.stringify(tagOf(tag.normalize('NFD')))}`)
        }
      }
    }
  })
})

test('of a list what the kernel is made for counts, in order (GR-44)', () => {
  const kernel = { tiers: ['wasm'] as const }
  const within = (tier: unknown, engine: Tier = 'wasm-threads'): Tier | undefined =>
    tierWithin(engine, wantedTier(tier, kernel, engine), all)
  expect([within(['wasm-threads', 'wasm']), within(['wasm-threads', 'js']), within('rust'), within(['js', 'wasm'])])
    .toEqual(['wasm', 'js', 'wasm', 'js'])
  // A kernel for none of them: validation refuses what is named.
  expect(within(['wasm-threads'])).toBe('wasm-threads')
  expect([within(undefined), within('auto', 'js')]).toEqual(['wasm', 'js'])
})
