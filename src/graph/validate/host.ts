import { graphErrors } from '../errors.js'
import type { NodeDefinition, ParamTable } from '../node-definition.js'
import { isObject } from '../schema/fit-shape.js'
import { chooseTier, parseTier, tagOf, tierWithin, type HostFacts, type Tier, type TierChoice, type TierQuestion } from '../tiers.js'
import type { Context } from './context.js'

/** A host to validate for: probed facts, and what has been asked for beside the document. */
export interface ValidationHost extends HostFacts {
  /** Tier option of the call or the engine. */
  readonly tierOption?: TierChoice
  /** `MILLRACE_TIER`, parsed. */
  readonly tierEnvironment?: TierChoice
  /** `MILLRACE_FALLBACK`; default true. */
  readonly fallback?: boolean
  /** The engine has warned of the fallback before. */
  readonly fallbackReported?: boolean
  /** Tags that some workers have beside the host's: for kernels that run there. */
  readonly workerTags?: readonly string[]
  /** Tier of the engine that will run it, for nodes that name none. Absent: what the wishes and the host make of it. */
  readonly engineTier?: Tier
  /** Other machines can take nodes. */
  readonly remote?: boolean
}

/** Stage 11: tiers, places and capabilities that the host lacks, for the nodes that will run. */
export function checkHost(c: Context, planned: Uint8Array, host: ValidationHost): void {
  let reported = host.fallbackReported === true
  // Most nodes name no tier and get this answer; tags are brought into their form once.
  const auto = chooseTier(questionOf(host)), tags = new HostTags(host)
  c.graph.nodes.forEach(({ tier, requires }, n) => {
    const definition = c.sound(n)
    if (definition === undefined || planned[n] === 0) return
    if (definition.kernel !== undefined && (tier !== undefined || auto.tier === null || (auto.fellBack !== undefined && !reported))) reported = checkTier(c, n, host, reported)
    checkPlace(c, n, host)
    const all: Readonly<Record<string, unknown>> | undefined = requires === undefined ? definition.requires : definition.requires === undefined ? requires : { ...definition.requires, ...requires }
    for (const name in all) if (Object.hasOwn(all, name)) checkFact(c, n, name, all[name], host, tags)
    for (const [param, fact] of sizesOf(definition)) {
      const wanted = c.params[n]?.[param], have = host[fact]
      if (all?.[fact] === undefined && typeof wanted === 'number' && have !== undefined && have < wanted) lacking(c, n, fact, `${wanted} ${fact} by its param ${param}`, String(have), true)
    }
  })
}

const NONE: readonly (readonly [param: string, fact: 'cores' | 'memoryBytes'])[] = []
const sizes = new WeakMap<ParamTable, typeof NONE>()

/** Params of a type that say how large a host a node wants; found once per type. */
function sizesOf({ params }: NodeDefinition): typeof NONE {
  let found = sizes.get(params)
  if (found === undefined) sizes.set(params, found = Object.entries(params).flatMap(([name, { size }]) => size === undefined ? NONE : [[name, size]]))
  return found
}

/** The question that the host's facts and wishes put, for a node that says `own`. */
export function questionOf(host: ValidationHost, own?: TierChoice): TierQuestion {
  return {
    facts: host, ...(own !== undefined && { node: own }), ...(host.tierOption !== undefined && { option: host.tierOption }),
    ...(host.tierEnvironment !== undefined && { environment: host.tierEnvironment }), ...(host.fallback !== undefined && { fallback: host.fallback }),
  }
}

/** Tier of an engine that the host would get. */
export function engineTierOf(host: ValidationHost): Tier { return host.engineTier ?? chooseTier(questionOf(host)).tier ?? 'js' }

/** Tags of a host, and of its workers beside them, in canonical form; and a memory of that form (GR-41: 10 000 nodes in 10 ms). */
class HostTags {
  readonly #own: ReadonlySet<string>
  readonly #workers: ReadonlySet<string>
  readonly #forms = new Map<string, string>()
  constructor({ tags = [], workerTags = [] }: ValidationHost) {
    this.#own = new Set(tags.map(tagOf))
    this.#workers = new Set([...tags, ...workerTags].map(tagOf))
  }
  have(onWorker: boolean): ReadonlySet<string> { return onWorker ? this.#workers : this.#own }
  form(tag: string): string {
    let form = this.#forms.get(tag)
    if (form === undefined) this.#forms.set(tag, form = tagOf(tag))
    return form
  }
}

/** TypeScript nodes have no tier; their `tier` is not looked at. Returns whether the fallback has been told. */
function checkTier(c: Context, n: number, host: ValidationHost, reported: boolean): boolean {
  const { id, tier } = c.graph.nodes[n]!, pointer = `${c.nodePointer(n)}/tier`
  const own = tier === undefined ? undefined : parseTier(tier)
  const answer = chooseTier(questionOf(host, own))
  if (answer.tier === null) {
    c.report('nodes', n, graphErrors.TIER_UNAVAILABLE.diagnostic(
      { node: id, wanted: answer.wanted, missing: answer.missing }, { node: id, pointer, constraint: answer.source, expected: answer.wanted, got: answer.missing }))
  } else if (answer.fellBack !== undefined && !reported) {
    const { wanted, missing } = answer.fellBack
    c.report('nodes', n, graphErrors.TIER_FALLBACK.diagnostic(
      { node: id, what: `runs in tier ${answer.tier}, because ${wanted} needs ${missing.join(', ')}`, todo: `Enable ${missing.join(', ')}, or ask for tier ${answer.tier} by name.` },
      { node: id, pointer, expected: wanted, got: answer.tier }))
    return true
  }
  return reported
}

function checkPlace(c: Context, n: number, host: ValidationHost): void {
  const { id, place } = c.graph.nodes[n]!, { pin } = c.definitions[n]!
  if (place !== 'remote') return
  const extra = { node: id, pointer: `${c.nodePointer(n)}/place`, expected: place }
  if (host.remote !== true) {
    c.report('nodes', n, graphErrors.PLACE_IMPOSSIBLE.diagnostic({ node: id, fact: 'another machine', have: 'none', where: 'a cluster' }, { ...extra, got: 'local only' }))
  } else if (pin === 'main') {
    c.report('nodes', n, graphErrors.PLACE_IMPOSSIBLE.diagnostic({ node: id, fact: 'its engine\'s own thread', have: 'place remote', where: 'place: main' }, { ...extra, got: 'pinned to main' }))
  }
}

const FLAGS: Readonly<Record<string, (host: HostFacts) => boolean>> = {
  webgpu: (host) => host.webgpu === true, simd: (host) => host.simd, threads: (host) => host.sab && host.worker !== false,
  relaxedSimd: (host) => host.relaxedSimd === true, memory64: (host) => host.memory64 === true,
}

/** One entry of `requires` (GR-40): a flag (true, or `'preferred'`), a least number, an architecture, an adapter, tags. */
function checkFact(c: Context, n: number, name: string, wanted: unknown, host: ValidationHost, tags: HostTags): void {
  const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined
  if (flag !== undefined) {
    if ((wanted === true || wanted === 'preferred') && !flag(host)) lacking(c, n, name, name, 'none', wanted === 'preferred')
    return
  }
  if ((name === 'cores' || name === 'memoryBytes') && typeof wanted === 'number') {
    const have = host[name] ?? 0
    if (have < wanted) lacking(c, n, name, `${wanted} ${name}`, String(have), false)
  } else if (name === 'arch' && typeof wanted === 'string') {
    if (wanted !== 'any' && wanted !== host.arch) lacking(c, n, name, `architecture ${wanted}`, host.arch ?? 'unknown', false)
  } else if (name === 'gpu' && isObject(wanted)) {
    const { type = 'any', minMemoryBytes = 0, required } = wanted as { readonly type?: string; readonly minMemoryBytes?: number; readonly required?: boolean }
    const have = [...host.gpus ?? [], ...(host.webgpu === true ? [{ type: 'webgpu', memoryBytes: 0 }] : [])]
    if (have.some((gpu) => (type === 'any' || gpu.type === type) && (gpu.memoryBytes ?? 0) >= minMemoryBytes)) return
    const fact = `gpu ${type}${minMemoryBytes > 0 ? ` with ${minMemoryBytes} bytes` : ''}`
    lacking(c, n, name, fact, have.map((gpu) => gpu.type).join(', ') || 'none', required === false)
  } else if (name === 'tags' && Array.isArray(wanted)) {
    const { tier, place, policy } = c.graph.nodes[n]!, { kernel, pin } = c.definitions[n]!, own = tierWithin(engineTierOf(host), tier, host)
    // Workers run kernels of the engine's tier.
    const onWorker = kernel !== undefined && own !== 'js' && (host.engineTier ?? own) === own && place !== 'main' && (policy?.['pin'] ?? pin) !== 'main'
    const have = tags.have(onWorker)
    if (wanted.every((tag) => typeof tag !== 'string' || have.has(tags.form(tag)))) return
    const absent = wanted.filter((tag) => typeof tag === 'string' && !have.has(tags.form(tag)))
    lacking(c, n, name, `tags ${absent.join(', ')}`, [...have].join(', ') || 'none', false)
  }
}

function lacking(c: Context, n: number, name: string, fact: string, have: string, preferred: boolean): void {
  const { id } = c.graph.nodes[n]!
  const place = { node: id, pointer: `${c.nodePointer(n)}/requires`, constraint: name, expected: fact, got: have }
  c.report('nodes', n, preferred
    ? graphErrors.CAPABILITY_PREFERRED.diagnostic({ node: id, what: `prefers ${fact}, host has ${have}`, todo: 'Nothing to do unless it is too slow.' }, place)
    : graphErrors.CAPABILITY_MISSING.diagnostic({ node: id, fact, have }, place))
}
