import { revise, reviseOneField, type Domain } from './domain.js'

/** Port `other` must agree with this one: in everything, or in one field. */
interface Tie { readonly other: number; readonly mine: string | undefined; readonly theirs: string | undefined }

/**
 * Ports as variables with domains, tied by edges (whole media), type variables (whole media) and field links. Setting or tying narrows until nothing
 * changes; a step that leaves some port without a value is undone as if it had not been asked for. Iterative; memory is linear in ports and ties.
 */
export class PortNetwork {
  readonly #domains: Domain[] = []
  readonly #ties: (Tie[] | undefined)[] = []
  // Lists are emptied by their counts: `length = 0` would give their memory back, which costs more than the step between.
  readonly #queue: number[] = []
  #queueCount = 0
  readonly #queued: boolean[] = []
  /** What the step under way has changed: ports, and what they were before. */
  readonly #trail: number[] = []
  readonly #before: Domain[] = []
  #trailCount = 0

  /** Adds a port; its number. */
  add(domain: Domain): number {
    this.#ties.push(undefined)
    this.#queued.push(false)
    return this.#domains.push(domain) - 1
  }

  /** What a port may still carry. */
  domain(port: number): Domain { return this.#domains[port]! }

  /** Narrows a port to `domain` and all that follows from it. False = impossible, nothing changed. */
  assign(port: number, domain: Domain): boolean {
    if (domain === this.#domains[port]) return true
    this.#trailCount = 0
    this.#set(port, domain)
    if (this.#settle()) return true
    this.#undo()
    return false
  }

  /** Makes two ports agree in everything, or in field `field` of the first and `otherField` of the second. False = impossible, nothing changed. */
  tie(a: number, b: number, field?: string, otherField = field): boolean {
    this.#trailCount = 0
    // Only the new tie is looked at; what it changes is followed further. The consumer goes first, so that its order of preference follows the producer's.
    const forth: Tie = { other: b, mine: field, theirs: otherField }, back: Tie = { other: a, mine: otherField, theirs: field }
    const ofA = this.#ties[a] ??= [], ofB = this.#ties[b] ??= []
    ofA.push(forth)
    ofB.push(back)
    if (this.#follow(a, forth) && this.#follow(b, back) && this.#settle()) return true
    this.#undo()
    ofA.pop()
    ofB.pop()
    return false
  }

  #set(port: number, domain: Domain): void {
    this.#trail[this.#trailCount] = port
    this.#before[this.#trailCount++] = this.#domains[port]!
    this.#domains[port] = domain
    this.#enqueue(port)
  }

  #enqueue(port: number): void {
    if (this.#queued[port] === true) return
    this.#queued[port] = true
    this.#queue[this.#queueCount++] = port
  }

  /** Narrows the other end of a tie; false when nothing is left there. */
  #follow(port: number, { other, mine, theirs }: Tie): boolean {
    const source = this.#domains[port]!, before = this.#domains[other]!
    const after = mine === undefined ? revise(before, source) : reviseOneField(before, theirs!, source, mine)
    if (after === undefined) return false
    if (after !== before) this.#set(other, after)
    return true
  }

  #settle(): boolean {
    for (let head = 0; head < this.#queueCount; head++) {
      const port = this.#queue[head]!
      this.#queued[port] = false
      const ties = this.#ties[port]
      if (ties !== undefined) for (const tie of ties) if (!this.#follow(port, tie)) return false
    }
    this.#queueCount = 0
    return true
  }

  #undo(): void {
    while (this.#queueCount > 0) this.#queued[this.#queue[--this.#queueCount]!] = false
    while (this.#trailCount > 0) this.#domains[this.#trail[--this.#trailCount]!] = this.#before[this.#trailCount]!
  }
}
