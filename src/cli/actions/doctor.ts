import { createEngine, defineNode, hostFacts, json } from '../../index.js'
import { audioBuffer } from '../../nodes/io/audio-buffer.js'
import { gain } from '../../nodes/audio/gain.js'
import { inspectArena } from '../../memory/inspect-arena.js'
import { readRecords } from '../../memory/recorder.js'
import { TIERS, type TierChoice } from '../../graph/tiers.js'
import { isMillraceError } from '../../errors/millrace-error.js'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { table } from '../print/table.js'

/** Prints what this host offers, and why not what it does not. Each tier is tried for real, without workers. */
export async function doctor({ positionals, options, terminal }: CommandContext): Promise<number> {
  if (positionals.length > 0) throw new UsageError(`expected no words, got ${positionals.join(' ')}.`)
  if (options['dump'] === true) return dump(options['json'] === true, terminal)
  const facts = hostFacts(), auto = await tryTier('auto')
  const tiers = await Promise.all(TIERS.map(async (tier) => ({ tier, ...await tryTier(tier) })))
  if (options['json'] === true) { terminal.out(JSON.stringify({ facts, auto, tiers }, null, 2)); return EXIT.OK }
  terminal.out(table([
    ['tier', 'works', 'about'], ['auto', auto.works ? 'yes' : 'no', auto.about],
    ...tiers.map(({ tier, works, about }) => [tier, works ? 'yes' : 'no', about]),
  ]))
  terminal.out('')
  const { reasons, ...plain } = facts, words = (value: unknown): string => value === true ? 'yes' : value === false ? 'no' : String(value)
  terminal.out(table([['fact', 'value', 'why'], ...Object.entries(plain).filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => [name, words(value), reasons.find(({ fact }) => fact === name)?.reason ?? ''])]))
  return EXIT.OK
}

/** A node whose code runs on a thread of its own; gives how many numbers below 1000 are primes. */
const primes = defineNode({
  type: 'doctor::primes', version: '1.0.0', title: 'Primes', doc: 'Counts primes.', family: 'doctor', params: {}, thread: 'worker',
  inputs: {}, outputs: { out: { media: json() } },
  process: () => {
    let found = 0
    for (let n = 2, d; n < 1000; n++) {
      for (d = 2; n % d > 0; d++);
      if (d === n) found++
    }
    return Promise.resolve({
      out: { media: { kind: 'json' as const }, data: found, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} },
    })
  },
})

/**
 * Prints what threads did with a second of a tone and a little TypeScript: entries of the flight recorder and numbers of the pool (MW-06).
 */
async function dump(json: boolean, terminal: CommandContext['terminal']): Promise<number> {
  await using engine = await createEngine({ workers: 2 })
  const tone = Float32Array.from({ length: 48_000 }, (_, n) => Math.sin(n / 20));
  (await engine.run({ out: gain(audioBuffer({ data: [tone], rate: 48_000 }), { gainDb: -6 }), primes: primes() })).close()
  const { arena } = engine.parts, records = readRecords(arena.flights), tables = inspectArena(arena), { workers, mode } = engine.stats()
  if (json) { terminal.out(JSON.stringify({ mode, workers, records, arena: tables }, null, 2)); return EXIT.OK }
  const index = (n: number): string => n < 0 ? '' : String(n)
  terminal.out(`${mode.tier}, ${mode.mode}: ${workers.count} threads, ${workers.lost} lost, ${workers.respawns} replaced, ${(workers.utilisation * 100).toFixed(1)} % busy`)
  const { header, slots, blocks } = tables
  const names = (list: readonly (readonly [string, unknown])[]): string[] => list.map(([name]) => name)
  const text = (value: unknown): string => Array.isArray(value) ? value.join(' ') : String(value)
  terminal.out(`arena ${text(header['id'])}: ${text(header['flags'])}, ${blocks.length} blocks, clock ${text(header['clock'])} ms`)
  if (slots.length > 0) terminal.out(table([names(Object.entries(slots[0]!)), ...slots.map((slot) => Object.values(slot).map(text))]))
  terminal.out(table([
    ['µs', 'thread', 'what', 'run', 'task', 'value'],
    ...records.map((r) => [String(r.timeUs), r.thread ?? `slot ${r.slot}`, r.kind, index(r.run), index(r.task), String(r.value)]),
  ]))
  return EXIT.OK
}

/** What a mode means, in a few words. */
const MODES = {
  shared: 'one shared memory for all threads', transfer: 'a memory per thread, blocks move by transfer',
  single: 'plain arrays, TypeScript references',
} as const

/** Opens an engine of the tier and closes it again. */
async function tryTier(tier: TierChoice): Promise<{ readonly works: boolean; readonly about: string }> {
  try {
    await using engine = await createEngine({ tier, arenaBytes: 16 * 1_048_576, workers: 0 })
    const { mode } = engine.stats()
    return { works: true, about: tier === 'auto' ? `${mode.tier}: ${mode.why}` : MODES[mode.mode] }
  } catch (error) {
    return { works: false, about: isMillraceError(error) ? `${error.code}: ${error.message} ${error.hint}` : String(error) }
  }
}
