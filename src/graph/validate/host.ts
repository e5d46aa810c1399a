import { graphErrors } from '../errors.js'
import type { NodeDefinition } from '../node-definition.js'
import { remembering } from '../remembering.js'
import { isObject } from '../schema/fit-shape.js'
import {
  chooseTier, ownTier, parseTier, tagOf, tierWithin, wantedTier, type HostFacts, type Tier, type TierChoice, type TierQuestion,
} from '../tiers.js'
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
  // Most nodes name no tier and get this answer; tags are brought into their form once, and types are looked at once.
  const auto = chooseTier(questionOf(host)), tags = new HostTags(host)
  const untold = auto.tier === null || auto.fellBack !== undefined
  const factsOfType = remembering(factsOf)
  c.graph.nodes.forEach(({ tier, requires, place }, n) => {
    const definition = c.sound(n)
    if (definition === undefined || planned[n] === 0) return
    const type = factsOfType(definition)
    if (type.kernel && (tier !== undefined || (untold && (auto.tier === null || !reported)))) reported = checkTier(c, n, host, reported)
    if (place === 'remote') checkRemote(c, n, host)
    const all = requires === undefined ? type.requires
      : type.requires === undefined ? requires as Requirements
      : { ...type.requires, ...requires }
    if (all !== undefined) for (const name in all) if (Object.hasOwn(all, name)) checkFact(c, n, name, all[name], host, tags)
    for (const [param, fact] of type.sizes) {
      const wanted = c.params[n]?.[param], have = host[fact]
      if (all?.[fact] === undefined && typeof wanted === 'number' && have !== undefined && have < wanted) {
        lacking(c, n, fact, `${wanted} ${fact} by its param ${param}`, String(have), true)
      }
    }
  })
}

type Requirements = Readonly<Record<string, unknown>>
/** What a type says of its place; a property that few types have is slow to ask ten thousand nodes for. */
interface TypeFacts {
  readonly kernel: boolean
  readonly requires: Requirements | undefined
  /** Params that say how large a host a node wants. */
  readonly sizes: readonly (readonly [param: string, fact: 'cores' | 'memoryBytes'])[]
}

function factsOf({ kernel, requires, params }: NodeDefinition): TypeFacts {
  return {
    kernel: kernel !== undefined, requires,
    sizes: Object.entries(params).flatMap(([name, { size }]) => size === undefined ? [] : [[name, size]]),
  }
}

/** The question that the host's facts and wishes put, for a node that says `own`. */
export function questionOf(host: ValidationHost, own?: TierChoice): TierQuestion {
  return {
    facts: host, ...(own !== undefined && { node: own }), ...(host.tierOption !== undefined && { option: host.tierOption }),
    ...(host.tierEnvironment !== undefined && { environment: host.tierEnvironment }),
    ...(host.fallback !== undefined && { fallback: host.fallback }),
  }
}

/** Tier of an engine that the host would get. */
export function engineTierOf(host: ValidationHost): Tier { return host.engineTier ?? chooseTier(questionOf(host)).tier ?? 'js' }

/** Tags of a host, and of its workers beside them, in canonical form; and a memory of who has what (GR-41: 10 000 nodes in 10 ms). */
class HostTags {
  /** What nodes run in that name no tier. */
  readonly engine: Tier
  readonly #own: ReadonlySet<string>
  readonly #workers: ReadonlySet<string>
  readonly #canonical = remembering(tagOf)
  constructor(host: ValidationHost) {
    const { tags = [], workerTags = [] } = host
    this.engine = engineTierOf(host)
    this.#own = new Set(tags.map(tagOf))
    this.#workers = new Set([...tags, ...workerTags].map(tagOf))
  }
  all(onWorker: boolean): ReadonlySet<string> { return onWorker ? this.#workers : this.#own }
  have(tag: string, onWorker: boolean): boolean { return this.all(onWorker).has(this.#canonical(tag)) }
}

/** TypeScript nodes have no tier; their `tier` is not looked at. Returns whether the fallback has been told. */
function checkTier(c: Context, n: number, host: ValidationHost, reported: boolean): boolean {
  const { id, tier } = c.graph.nodes[n]!, pointer = `${c.nodePointer(n)}/tier`
  const own = tier === undefined ? undefined : parseTier(ownTier(tier, c.definitions[n]!.kernel))
  const answer = chooseTier(questionOf(host, own))
  if (answer.tier === null) {
    c.report('nodes', n, graphErrors.TIER_UNAVAILABLE.diagnostic(
      { node: id, wanted: answer.wanted, missing: answer.missing },
      { node: id, pointer, constraint: answer.source, expected: answer.wanted, got: answer.missing }))
  } else if (answer.source === 'node' && answer.tier !== 'js' && c.definitions[n]!.kernel!.tiers?.includes(answer.tier) === false) {
    c.report('nodes', n, graphErrors.TIER_UNAVAILABLE.diagnostic({ node: id, wanted: answer.tier, missing: ['a kernel for it'] }, {
      node: id, pointer, constraint: 'node', expected: answer.tier, got: c.definitions[n]!.kernel!.tiers,
    }))
  } else if (answer.fellBack !== undefined && !reported) {
    const { wanted, missing } = answer.fellBack
    c.report('nodes', n, graphErrors.TIER_FALLBACK.diagnostic(
      {
        node: id,
        what: `runs in tier ${answer.tier}, because ${wanted} needs ${missing.join(', ')}`,
        todo: `Enable ${missing.join(', ')}, or ask for tier ${answer.tier} by name.`,
      },
      { node: id, pointer, expected: wanted, got: answer.tier }))
    return true
  }
  return reported
}

function checkRemote(c: Context, n: number, host: ValidationHost): void {
  const { id, place } = c.graph.nodes[n]!, { pin } = c.definitions[n]!
  const extra = { node: id, pointer: `${c.nodePointer(n)}/place`, expected: place }
  if (host.remote !== true) {
    c.report('nodes', n, graphErrors.PLACE_IMPOSSIBLE.diagnostic({ node: id, fact: 'another machine', have: 'none', where: 'a cluster' }, {
      ...extra, got: 'local only',
    }))
  } else if (pin === 'main') {
    c.report('nodes', n, graphErrors.PLACE_IMPOSSIBLE.diagnostic({
      node: id, fact: 'its engine\'s own thread', have: 'place remote', where: 'place: main',
    }, { ...extra, got: 'pinned to main' }))
  }
}

const FLAGS: Readonly<Record<string, (host: HostFacts) => boolean>> = {
  webgpu: (host) => host.webgpu === true, simd: (host) => host.simd, threads: (host) => host.sab && host.worker !== false,
  relaxedSimd: (host) => host.relaxedSimd === true, memory64: (host) => host.memory64 === true,
}

/** One entry of `requires` (GR-40): a flag (true, or `'preferred'`), a least number, an architecture, an adapter, tags. */
function checkFact(c: Context, n: number, name: string, wanted: unknown, host: ValidationHost, tags: HostTags): void {
  if (name === 'tags') { if (Array.isArray(wanted)) checkTags(c, n, wanted, host, tags); return }
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
    const {
      type = 'any', minMemoryBytes = 0, required,
    } = wanted as { readonly type?: string; readonly minMemoryBytes?: number; readonly required?: boolean }
    const have = [...host.gpus ?? [], ...(host.webgpu === true ? [{ type: 'webgpu', memoryBytes: 0 }] : [])]
    if (have.some((gpu) => (type === 'any' || gpu.type === type) && (gpu.memoryBytes ?? 0) >= minMemoryBytes)) return
    const fact = `gpu ${type}${minMemoryBytes > 0 ? ` with ${minMemoryBytes} bytes` : ''}`
    lacking(c, n, name, fact, have.map((gpu) => gpu.type).join(', ') || 'none', required === false)
  }
}

function checkTags(c: Context, n: number, wanted: readonly unknown[], host: ValidationHost, tags: HostTags): void {
  const { tier, place, policy } = c.graph.nodes[n]!, { kernel, pin } = c.definitions[n]!
  const own = tierWithin(tags.engine, wantedTier(tier, kernel, tags.engine), host)
  // Workers run kernels of the engine's tier.
  const onWorker = kernel !== undefined && own !== 'js' && (host.engineTier ?? own) === own && place !== 'main'
    && (policy?.['pin'] ?? pin) !== 'main'
  const absent = (tag: unknown): tag is string => typeof tag === 'string' && !tags.have(tag, onWorker)
  if (wanted.some(absent)) {
    lacking(c, n, 'tags', `tags ${wanted.filter(absent).join(', ')}`, [...tags.all(onWorker)].join(', ') || 'none', false)
  }
}

function lacking(c: Context, n: number, name: string, fact: string, have: string, preferred: boolean): void {
  const { id } = c.graph.nodes[n]!
  const place = { node: id, pointer: `${c.nodePointer(n)}/requires`, constraint: name, expected: fact, got: have }
  c.report('nodes', n, preferred
    ? graphErrors.CAPABILITY_PREFERRED.diagnostic({
      node: id, what: `prefers ${fact}, host has ${have}`, todo: 'Nothing to do unless it is too slow.',
    }, place)
    : graphErrors.CAPABILITY_MISSING.diagnostic({ node: id, fact, have }, place))
}
