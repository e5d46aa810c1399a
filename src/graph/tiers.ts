/** How a kernel runs (GR-42): one shared memory and many threads; private memory per thread; the TypeScript reference. */
export type Tier = 'wasm-threads' | 'wasm' | 'js'
/** What a user may ask for: the best that the host offers, exactly one tier, or an ordered list to fall back in. */
export type TierChoice = 'auto' | Tier | readonly Tier[]

/** All tiers, best first: the order in which `auto` tries them. */
export const TIERS = ['wasm-threads', 'wasm', 'js'] as const satisfies readonly Tier[]

/**
 * What a host offers, found by a probe (packaging page) and passed in: graph code asks no platform. Absent optional facts count as not
 * there, except `worker`, which every host has unless it says no.
 */
export interface HostFacts {
  readonly wasm: boolean
  readonly simd: boolean
  /** Memory can be shared between threads. */
  readonly sab: boolean
  /** Workers can be started. */
  readonly worker?: boolean
  readonly relaxedSimd?: boolean
  readonly memory64?: boolean
  readonly webgpu?: boolean
  /** Adapters that are known beside WebGPU's, whose memory nobody tells. */
  readonly gpus?: readonly { readonly type: string; readonly memoryBytes?: number }[]
  readonly cores?: number
  readonly memoryBytes?: number
  readonly arch?: string
  readonly tags?: readonly string[]
}

/** A capability tag in canonical form (GR-41). */
export function tagOf(tag: string): string { return tag.normalize('NFC').toLowerCase().normalize('NFC').trim() }

const ALIASES: Readonly<Record<string, TierChoice>> = { rust: ['wasm-threads', 'wasm'], 'wasm-simd': 'wasm', python: 'js' }
const isTier = (value: unknown): value is Tier => (TIERS as readonly unknown[]).includes(value)

/**
 * A tier as it stands in a document, an option or `MILLRACE_TIER`, in canonical form: aliases resolved (`rust`, `wasm-simd`, `python`), a
 * comma-separated text read as a list, repeated entries dropped. `undefined` for anything else.
 */
export function parseTier(value: unknown): TierChoice | undefined {
  if (typeof value === 'string') {
    const words = value.split(',').map((word) => word.trim().toLowerCase())
    if (words.length > 1) return parseTier(words)
    const word = words[0]!
    if (word === 'auto' || isTier(word)) return word
    return Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined
  }
  if (!Array.isArray(value) || value.length === 0) return undefined
  const tiers: Tier[] = []
  for (const item of value as readonly unknown[]) {
    const one = typeof item === 'string' && !item.includes(',') ? parseTier(item) : undefined
    if (one === undefined || one === 'auto') return undefined
    for (const tier of typeof one === 'string' ? [one] : one) if (!tiers.includes(tier)) tiers.push(tier)
  }
  return tiers
}

/** What a host lacks for a tier; empty = the tier can run. SIMD is a baseline of both WebAssembly tiers. */
export function missingFor(tier: Tier, facts: HostFacts): readonly string[] {
  if (tier === 'js') return []
  const missing: string[] = []
  if (!facts.wasm) missing.push('WebAssembly')
  if (!facts.simd) missing.push('SIMD')
  if (tier === 'wasm-threads') {
    if (!facts.sab) missing.push('shared memory')
    if (facts.worker === false) missing.push('workers')
  }
  return missing
}

/** Who decided the tier (GR-43), strongest first. */
export type TierSource = 'node' | 'option' | 'environment' | 'probe'

/** What {@link chooseTier} goes by. An absent wish and `auto` both leave the choice to the next in rank. */
export interface TierQuestion {
  readonly node?: TierChoice
  /** Of the call, else of the engine. */
  readonly option?: TierChoice
  /** `MILLRACE_TIER`, parsed. */
  readonly environment?: TierChoice
  readonly facts: HostFacts
  /** False (`MILLRACE_FALLBACK=false`): `auto` takes the best tier or none. */
  readonly fallback?: boolean
}

/** A tier that can run, or what is missing for the one that was named. */
export type TierAnswer =
  | {
    readonly tier: Tier
    readonly source: TierSource
    readonly why: string
    /** `auto` had to leave the best tier: report `TIER_FALLBACK` once per engine. */
    readonly fellBack?: { readonly wanted: Tier; readonly missing: readonly string[] }
  }
  | { readonly tier: null; readonly source: TierSource; readonly wanted: string; readonly missing: readonly string[] }

/**
 * Tier of a node (GR-43, GR-44): node > option > environment > probe. A named tier never falls back; a list falls back inside itself;
 * `auto` goes down {@link TIERS} and says so. Pure: equal question, equal answer.
 */
export function chooseTier(question: TierQuestion): TierAnswer {
  const { facts, fallback = true } = question
  const ranked = [['node', question.node], ['option', question.option], ['environment', question.environment]] as const
  const found = ranked.find(([, choice]) => choice !== undefined && choice !== 'auto')
  const source: TierSource = found === undefined ? 'probe' : found[0]
  const choice = found?.[1] ?? 'auto'
  const list: readonly Tier[] = choice === 'auto' ? (fallback ? TIERS : TIERS.slice(0, 1)) : typeof choice === 'string' ? [choice] : choice
  const wanted = list[0] ?? 'js'
  const missing = missingFor(wanted, facts)
  const tier = list.find((one) => missingFor(one, facts).length === 0)
  if (tier === undefined) {
    return { tier: null, source, wanted: list.join(', '), missing: [...new Set(list.flatMap((one) => missingFor(one, facts)))] }
  }
  const why = `${source === 'probe' ? 'best that the host offers' : `named by ${source}`}${tier === wanted ? '' : `; ${wanted} needs ${missing.join(', ')}`}`
  return { tier, source, why, ...(choice === 'auto' && tier !== wanted && { fellBack: { wanted, missing } }) }
}

interface MadeFor { readonly tiers?: readonly Tier[] }

/** A node's own word, of a list what its kernel is made for and references; a list without either as it stands. */
export function ownTier(tier: unknown, kernel: MadeFor | undefined): unknown {
  const made = kernel?.tiers, named = made && parseTier(tier)
  if (!Array.isArray(named)) return tier
  const fit = named.filter((one) => one === 'js' || made!.includes(one as Tier))
  return fit.length > 0 ? fit : tier
}

/**
 * What a node is to run in within an engine of tier `engine`: {@link ownTier}, else what its kernel is made for, where
 * that is another tier; references come last.
 */
export function wantedTier(tier: unknown, kernel: MadeFor | undefined, engine: Tier): unknown {
  return (tier ?? 'auto') !== 'auto' || kernel?.tiers === undefined || engine === 'js' || kernel.tiers.includes(engine)
    ? ownTier(tier, kernel)
    : [...kernel.tiers, 'js']
}

/**
 * Tier of a node in an engine (GR-43): the engine's when the node names none (`tier` as it stands in the graph), else the first that it
 * names and the host can give; undefined: none of them.
 */
export function tierWithin(engine: Tier, tier: unknown, facts: HostFacts): Tier | undefined {
  const choice = parseTier(tier)
  return choice === undefined || choice === 'auto'
    ? engine
    : (typeof choice === 'string' ? [choice] : choice).find((one) => missingFor(one, facts).length === 0)
}
