import { graphErrors } from '../graph/errors.js'
import type { Tier } from '../graph/tiers.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'

/** Kernels compiled to WebAssembly; references in TypeScript, which no worker runs. */
const COMPILED = 1, REFERENCES = 2
/** First bit of a module, and of a tag: 6 of them. Modules beyond the last bit have none: every thread has all that its engine has. */
const MODULE = 2, TAG = 26

/** What workers need to have for a segment, and what they have, as bits (MW-36). One numbering per engine. */
export class FactBits {
  readonly #names: string[] = []
  readonly #tags: Readonly<Record<string, number>>
  readonly #common: number

  /**
   * `modules`: names of the engine's modules. `tags`: how many workers have a tag, from the first place on; so the
   * first has all of them. `size`: most workers.
   */
  constructor(modules: readonly string[], tags: Readonly<Record<string, number>> = {}, size = 256) {
    this.#names[0] = 'compiled kernels'
    this.#names[1] = 'references in TypeScript'
    modules.slice(0, TAG - MODULE).forEach((name, i) => { this.#names[MODULE + i] = `module ${name}` })
    Object.keys(tags).forEach((name, i) => { this.#names[TAG + i] = `tag ${name}` })
    this.#tags = tags
    this.#common = this.ofWorker(size - 1, modules)
  }

  /**
   * Bits of a worker by its place (slot; in transfer mode its number among those that run) and the modules that were instantiated there.
   */
  ofWorker(place: number, modules: readonly string[]): number {
    let bits = COMPILED
    for (const name of modules) bits |= this.#bit(`module ${name}`)
    for (const [name, count] of Object.entries(this.#tags)) if (place < count) bits |= this.#bit(`tag ${name}`)
    return bits >>> 0
  }

  /** Bits that a segment needs. */
  ofSegment({ tier, nodes, tags = [] }: Pick<SegmentPlan, 'tier' | 'nodes' | 'tags'>): number {
    let bits = tier === 'js' ? REFERENCES : COMPILED
    for (const { spec } of nodes) bits |= this.#bit(`module ${spec.module}`)
    for (const name of tags) bits |= this.#bit(`tag ${name}`)
    return bits >>> 0
  }

  /** What of them stands in a task's record: what some worker lacks. */
  recorded(plan: SegmentPlan): number { return (this.ofSegment(plan) & ~this.#common) >>> 0 }

  /** Can some of the workers execute each of the segments? */
  met(plans: readonly SegmentPlan[], workers: readonly { readonly facts: number }[]): boolean {
    return plans.map((plan) => this.ofSegment(plan)).every((need) => workers.some(({ facts }) => (need & ~facts) === 0))
  }

  /**
   * Throws `TIER_UNAVAILABLE` or `CAPABILITY_MISSING`, naming node and fact, for the first segment that none of the
   * workers can execute: before anything runs.
   */
  require(plans: readonly SegmentPlan[], workers: readonly { readonly facts: number }[]): void {
    for (const plan of plans) {
      const need = this.ofSegment(plan)
      if (workers.some(({ facts }) => (need & ~facts) === 0)) continue
      for (const node of plan.nodes) {
        const own = this.ofSegment({ tier: plan.tier, nodes: [node], tags: plan.tags }), best = workers.reduce((least, { facts }) => {
          const lacks = (own & ~facts) >>> 0
          return this.#count(lacks) < this.#count(least) ? lacks : least
        }, own)
        if (best === 0) continue
        const missing = this.#list(best), place = { nodeId: node.spec.nodeId, nodeType: node.spec.type }
        if (best & (COMPILED | REFERENCES)) {
          throw graphErrors.TIER_UNAVAILABLE({
            node: node.spec.nodeId, wanted: plan.tier satisfies Tier, missing: [`a worker with ${missing}`],
          }, place)
        }
        throw graphErrors.CAPABILITY_MISSING({
          node: node.spec.nodeId, fact: `a worker with ${missing}`,
          have: workers.length === 0 ? 'no worker' : `workers with ${workers.map(({ facts }) => this.#list(facts)).join('; ')}`,
        }, place)
      }
    }
  }

  #bit(name: string): number {
    const index = this.#names.indexOf(name)
    return index < 0 ? 0 : 1 << index
  }
  #list(bits: number): string { return this.#names.filter((_, i) => bits & 1 << i).join(', ') || 'nothing' }
  #count(bits: number): number { return this.#names.reduce((sum, _, i) => sum + (bits >>> i & 1), 0) }
}
