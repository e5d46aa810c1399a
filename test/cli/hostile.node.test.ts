/**
 * Every command that reads documents, given mutated ones: coded answers only, in JSON and in words (issue: bad input gets a clear error).
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { CORPUS } from '../graph/document-corpus.js'
import { call, folder, GAIN, SPEECH } from './support.js'

/** Documents of each command. */
const COUNT = Number(process.env['MILLRACE_CLI_MUTATIONS'] ?? 60)
const HOSTILE: readonly unknown[] = [
  null, 0, -1, 1e308, '', 'x'.repeat(70), '\ud800', '__proto__', true, [], [null], {}, { length: 3 }, [['constructor', '__proto__']],
  { __proto__x: 1, constructor: 1 }, ['read', 'out'], 'audio::gain',
]
const SEEDS: readonly unknown[] = [GAIN, JSON.parse(readFileSync(SPEECH, 'utf8')), ...CORPUS.flatMap(({ text }) => {
  try { return [JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text)) as unknown] } catch { return [] }
})]
const files = folder(), sound = files.file('sound.json', GAIN)
const COMMANDS: readonly (readonly string[])[] = [
  ['validate'], ['validate', '--host', '--strict'], ['inspect'], ['graph', '--dot'], ['graph', '--mermaid'],
  ...['millrace', 'remotemedia-seed', 'remotemedia-v1', 'graphdsl', 'comfyui-api', 'comfyui-workflow'].map((to) => ['convert', '--to', to]),
]

const random = (seed: number) => (most: number): number => {
  let t = seed = (seed + 0x6d2b79f5) | 0
  t = Math.imul(t ^ (t >>> 15), 1 | t)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4_294_967_296 * most)
}

/** A copy in which one value, at any depth, is hostile or gone, or whose key is another. */
function mutate(value: unknown, pick: (most: number) => number): unknown {
  if (typeof value !== 'object' || value === null || pick(12) === 0) return HOSTILE[pick(HOSTILE.length)]
  const keys = Object.keys(value)
  if (keys.length === 0) return HOSTILE[pick(HOSTILE.length)]
  const key = keys[pick(keys.length)]!, inner = (value as Record<string, unknown>)[key]
  if (Array.isArray(value)) return value.map((one: unknown, i) => String(i) === key ? mutate(one, pick) : one)
  const entries = Object.entries(value).filter(([name]) => name !== key), kind = pick(8)
  return Object.fromEntries(kind === 0
    ? entries
    : [...entries, [kind === 1 ? ['constructor', '__proto__', '', 'x'.repeat(65)][pick(4)]! : key, mutate(inner, pick)]])
}

describe.each(COMMANDS.map((words, i) => [words.join(' '), words, i] as const))('%s', (_, words, i) => {
  test(`${COUNT} mutated documents: coded answers`, async () => {
    const pick = random(0xc11 + i)
    for (let n = 0; n < COUNT; n++) {
      const document = mutate(pick(2) === 0 ? SEEDS[pick(2)] : mutate(SEEDS[pick(SEEDS.length)], pick), pick)
      const stdin = JSON.stringify(document) ?? 'null'
      const [name, ...rest] = words as [string, ...string[]], { code, out, err } = await call([name, '-', ...rest, '--json'], { stdin })
      const answer = out === '' ? {} : JSON.parse(out) as { error?: { code?: string; message: string }; diagnostics?: { code: string }[] }
      // A mistake in the words of the call has no code: a document may name inputs that only the words can give.
      if (answer.error !== undefined && code !== 2) {
        expect(answer.error, stdin).toMatchObject({ code: expect.stringMatching(/^(?!INTERNAL)[A-Z_]+$/) as string })
      }
      for (const one of answer.diagnostics ?? []) expect(one.code, stdin).toMatch(/^[A-Z_]+$/)
      expect([0, 1, 2, 3], `${code} ${err} ${stdin}`).toContain(code)
      const plain = await call([name, '-', ...rest], { stdin })
      expect(plain.code, stdin).toBe(code)
      expect(plain.err, stdin).not.toMatch(/Cannot read|is not a function|is not iterable|undefined|\n +at /)
    }
  })
})

test('diff of a sound document and mutated ones', async () => {
  const pick = random(0xd1ff)
  for (let n = 0; n < COUNT; n++) {
    const stdin = JSON.stringify(mutate(SEEDS[pick(SEEDS.length)], pick)) ?? 'null'
    const { out, err } = await call(['diff', sound, '-', '--json'], { stdin })
    const answer = JSON.parse(out || '{}') as { error?: { code?: string } }
    if (answer.error !== undefined) expect(answer.error.code, stdin).toMatch(/^(?!INTERNAL)[A-Z_]+$/)
    expect(err, stdin).not.toMatch(/Cannot read|is not a function|is not iterable/)
  }
})

test.each([
  ['{"millrace":1}', 0], ['{"millrace":1,"nodes":null}', 0], ['{"millrace":1,"nodes":"abc"}', 0],
  ['{"millrace":1,"nodes":[],"edges":{"length":7}}', 0],
])('validate %s counts %i nodes', async (stdin, nodes) => {
  const { code, out } = await call(['validate', '-', '--json'], { stdin })
  expect(code).toBe(3)
  expect(JSON.parse(out)).toMatchObject({ valid: false, nodes, edges: 0 })
})
