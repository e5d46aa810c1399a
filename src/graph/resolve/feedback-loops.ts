import { commonErrors } from '../../errors/common-errors.js'
import { strongParts } from '../cycles.js'
import { adjacencyOf } from '../edge-list.js'
import { keyIsPinned } from './driver-key.js'
import { heldIfKnown } from './held.js'
import { nodeOf, type LinkedInput, type LinkedNode, type LinkFault, type ValueId } from './linked-node.js'

/** Delayed links of a graph (GR-12): what must run together, and what keeps nobody open. */
export interface Feedback {
  /** By node: nodes of one number share a segment: the ends of delayed links and all that lies between them. −1: none. */
  readonly knots: Int32Array
  /** True for an input that only a loop feeds: it bounds a call, but its node ends with its other inputs. */
  weak(node: Pick<LinkedNode, 'index'>, input: LinkedInput): boolean
  /** What cannot run in one segment, or would never end or never begin: `UNSUPPORTED`, one per feedback edge. */
  readonly faults: readonly LinkFault[]
}

/** What the rules for feedback ask beside the nodes. */
export interface FeedbackOptions {
  readonly origin: ReadonlyMap<ValueId, ValueId>
  /** Ids of nodes that no code runs for: who reads them reads what they read. */
  readonly removed: ReadonlySet<string>
  /** Name of an edge in messages. */
  readonly edgeName: (edge: number) => string
  /** By node: what must ask before it runs, '' for nothing. Absent: nothing waits. */
  readonly lazyKeys?: readonly string[]
  /** Ids of nodes that get something beside what the graph says. */
  readonly fed?: ReadonlySet<string>
}

/** Frames that a loop must have beyond what its nodes hold back. */
const LEAST_ROUND = 64

interface Link { readonly from: number; readonly to: number; readonly input: LinkedInput; readonly delayed: boolean }

/**
 * Reads the delayed links of a graph; undefined without any. In a loop a node counts as fed through the fewest delays that lead there from
 * outside; inputs that come round a longer way are weak. So ends pass through a loop once, and what still rings is not played. O((nodes +
 * edges) · delays in a row).
 */
export function feedbackOf(nodes: readonly LinkedNode[], o: FeedbackOptions): Feedback | undefined {
  if (!nodes.some((node) => node.inputs.some(({ delay }) => delay !== undefined))) return undefined
  const { origin } = o, indexOf = new Map(nodes.map((node) => [node.id, node.index]))
  const links = nodes.flatMap((node) => node.inputs.flatMap((input): Link[] => {
    return input.from === null || o.removed.has(node.id)
      ? []
      : [{ from: indexOf.get(nodeOf(origin.get(input.from) ?? input.from))!, to: node.index, input, delayed: input.delay !== undefined }]
  }))
  const loops = partsOf(nodes.length, links)
  const knots = partsOf(nodes.length, [...links, ...links.flatMap((link) => link.delayed ? [{ from: link.to, to: link.from }] : [])])
  const delayed = links.filter((link) => link.delayed)
  const looped = new Set(delayed.flatMap(({ from, to }) => loops[from] === loops[to] ? [loops[to]!] : []))
  const tied = new Set(delayed.map((link) => knots[link.to]!)), ranks = ranksOf(nodes, links, loops, o.fed)
  return {
    knots: knots.map((knot) => tied.has(knot) ? knot : -1),
    weak: (node, { from, delay }) => {
      const source = from === null ? node.index : indexOf.get(nodeOf(origin.get(from) ?? from))!
      if (from === null || loops[source] !== loops[node.index] || !looped.has(loops[source]!)) return false
      return delay === undefined ? ranks[source]! > ranks[node.index]! : ranks[source]! >= ranks[node.index]!
    },
    faults: faultsOf(nodes, delayed, { loops, knots, ranks, o }),
  }
}

function partsOf(count: number, links: readonly { readonly from: number; readonly to: number }[]): Int32Array {
  return strongParts(count, adjacencyOf(count, Uint32Array.from(links, ({ from }) => from), Uint32Array.from(links, ({ to }) => to)))
}

/** Per node: the fewest delays on a way inside its loop from one that is fed from outside, or makes frames by itself. */
function ranksOf(
  nodes: readonly LinkedNode[], links: readonly Link[], loops: Int32Array, more: ReadonlySet<string> | undefined,
): Float64Array {
  const streams = links.filter(({ input }) => input.control === undefined), fed = new Set(streams.map(({ to }) => to))
  const inside = streams.filter(({ from, to }) => loops[from] === loops[to])
  const out = adjacencyOf(nodes.length, Uint32Array.from(inside, ({ from }) => from), Uint32Array.from(inside.keys()))
  const ranks = new Float64Array(nodes.length).fill(Infinity)
  let now = [
    ...streams.flatMap(({ from, to }) => loops[from] === loops[to] ? [] : [to]),
    ...nodes.flatMap(({ index, id }) => fed.has(index) && more?.has(id) !== true ? [] : [index]),
  ]
  for (let rank = 0; now.length > 0; rank++) {
    const later: number[] = []
    for (let node = now.pop(); node !== undefined; node = now.pop()) {
      if (ranks[node]! <= rank) continue
      ranks[node] = rank
      for (let i = out.start[node]!; i < out.start[node + 1]!; i++) {
        const { to, delayed } = inside[out.list[i]!]!;
        (delayed ? later : now).push(to)
      }
    }
    now = later
  }
  return ranks
}

interface Loops { readonly loops: Int32Array; readonly knots: Int32Array; readonly ranks: Float64Array; readonly o: FeedbackOptions }

function faultsOf(nodes: readonly LinkedNode[], delayed: readonly Link[], { loops, knots, ranks, o }: Loops): LinkFault[] {
  const faults = new Map<number, LinkFault>(), members = new Map<number, LinkedNode[]>()
  const held = new Map<number, number>()
  const misfits = new Map<number, Misfit | undefined>()
  for (const node of nodes) {
    const knot = members.get(knots[node.index]!)
    if (knot === undefined) members.set(knots[node.index]!, [node]); else knot.push(node)
    held.set(loops[node.index]!, (held.get(loops[node.index]!) ?? 0) + heldIfKnown(node))
  }
  for (const { from, to, input } of delayed) {
    const edge = input.late!, knot = knots[to]!, round = loops[from] === loops[to]
    if (faults.has(edge)) continue
    if (!misfits.has(knot)) misfits.set(knot, misfitOf(members.get(knot)!, o.lazyKeys ?? []))
    const misfit = misfits.get(knot), media = nodes[to]!.media[input.link]
    const back = media?.kind === 'audio' ? Math.ceil(held.get(loops[to]!)! * media.rate) : 0
    const refused: { readonly runtime: string; readonly alternative: string } | undefined =
      misfit !== undefined ? misfitText(misfit, (node) => round && loops[node.index] === loops[to], from, to)
        : !round ? undefined
        : ranks[to] === Infinity ? {
          runtime: 'a loop that nothing outside feeds: it would never end', alternative: 'Link something into the loop.',
        }
        // Its nodes would wait for each other.
        : back > 0 && input.delay! < back + LEAST_ROUND ? {
          runtime: `a loop whose nodes hold back ${back} frames`, alternative: `Set delayFrames to ${back + LEAST_ROUND} or more.`,
        }
        : undefined
    if (refused === undefined) continue
    const name = o.edgeName(edge)
    faults.set(edge, {
      edge,
      sure: refused.runtime.startsWith('a loop th') && misfit?.open !== true,
      diagnostic: commonErrors.UNSUPPORTED.diagnostic({ feature: `Feedback edge ${name}`, ...refused }, {
        stage: 12, edge: name, node: (misfit?.a ?? nodes[to]!).id,
      }),
    })
  }
  return [...faults.values()].sort((a, b) => a.edge! - b.edge!)
}

/** What keeps a knot out of one segment: a node that no segment has, or two that none has together; said of them, and how to mend it. */
interface Misfit {
  readonly a: LinkedNode
  readonly b?: LinkedNode
  readonly said: string
  readonly alternative: string
  /** A value of the run may mend it: one of them may turn out to change nothing, or to take a list. */
  readonly open?: boolean
}

function misfitOf(members: readonly LinkedNode[], lazyKeys: readonly string[]): Misfit | undefined {
  const script = members.find(({ tier }) => tier === null), a = members[0]!
  if (script !== undefined) return { a: script, said: `${script.id}, which is written in TypeScript`, alternative: '' }
  // Per rule: what differs, what is said of a node, empty for the plain case, and of the plain case beside another.
  const rules: readonly (readonly [
    key: (node: LinkedNode) => unknown, said: (node: LinkedNode) => string, plain: string, alternative: string,
  ])[] = [
    [({ driver }) => keyIsPinned(driver), ({ driver }) => keyIsPinned(driver) ? 'is pinned' : '', 'is not',
      'Pin all of its nodes or none.'],
    [({ tier }) => tier, ({ tier }) => `runs in tier ${tier!}`, '', 'Give all of its nodes one tier.'],
    [({ perItem }) => perItem === true, ({ perItem }) => perItem === true ? 'takes a list item by item' : '', 'does not',
      'Take the list out of it.'],
    [({ driver = '' }) => driver, ({ driver = '' }) => driver === '' ? '' : 'has a policy of its own', 'has not',
      'Give all of its nodes the same limiters and exclusive, and no timeoutMs.'],
    [
      ({ index }) => lazyKeys[index],
      ({ index }) => lazyKeys[index] === '' ? '' : `waits until ${lazyKeys[index]!.split('\n').join(' or ')} asks`,
      'does not', 'Take the edge out, or ask for all of it at once.',
    ],
  ]
  for (const [n, [key, said, plain, alternative]] of rules.entries()) {
    const other = members.find((node) => key(node) !== key(a))
    if (other === undefined) continue
    const [one, two] = said(a) === '' ? [other, a] : [a, other]
    return {
      a: one, b: two,
      said: `${one.id}, which ${said(one)}, and ${two.id}, which ${said(two) || plain}`,
      alternative,
      open: n === 2 || n === 4 || members.some(({ definition }) => definition.identity !== undefined),
    }
  }
  return undefined
}

function misfitText(
  { a, b, said, alternative }: Misfit, inLoop: (node: LinkedNode) => boolean, from: number, to: number,
): { readonly runtime: string; readonly alternative: string } {
  if (b === undefined) return scriptText(a.id, inLoop(a) ? 'loop' : a.index === from ? 'behind' : a.index === to ? 'before' : 'between')
  const where = inLoop(a) && inLoop(b) ? 'a loop through'
    : [from, to].includes(a.index) && [from, to].includes(b.index) ? 'a delay between'
    : 'one segment with'
  return { runtime: `${where} ${said}`, alternative }
}

/** What is said of a node written in TypeScript, how a feedback edge stands to it, and how to mend it. */
export function scriptText(
  id: string, where: 'loop' | 'behind' | 'before' | 'between',
): { readonly runtime: string; readonly alternative: string } {
  const only = `Take ${id} out of ${where === 'loop' ? 'the loop' : 'what the edge spans'}: only kernels run there.`
  return {
    runtime: `${where === 'loop' ? 'a loop through' : where === 'between' ? 'one segment with' : `a delay ${where}`} ${id}, which ${id.startsWith('input ') ? 'is no kernel' : 'is written in TypeScript'}`,
    alternative: where === 'behind' || where === 'before' ? `Put a gain node ${where} ${id}, and the delay ${where} that.` : only,
  }
}
