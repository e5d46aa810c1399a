import { revise, reviseOneField, type Domain } from './domain.js'

/** Port `other` must agree with this one: in everything, or in one field. */
interface Tie { readonly other: number; readonly mine?: string; readonly theirs?: string }

/**
 * Ports as variables with domains, tied by edges (whole media), type variables (whole media) and field links. Setting or tying narrows until nothing
 * changes; a step that leaves some port without a value is undone as if it had not been asked for. Iterative; memory is linear in ports and ties.
 */
export class PortNetwork {
  readonly #domains: Domain[] = []
  readonly #ties: Tie[][] = []
  readonly #queue: number[] = []
  readonly #queued: boolean[] = []
  readonly #trail: [port: number, before: Domain][] = []

  /** Adds a port; its number. */
  add(domain: Domain): number {
    this.#ties.push([])
    this.#queued.push(false)
    return this.#domains.push(domain) - 1
  }

  /** What a port may still carry. */
  domain(port: number): Domain { return this.#domains[port]! }

  /** Narrows a port to `domain` and all that follows from it. False = impossible, nothing changed. */
  assign(port: number, domain: Domain): boolean {
    if (domain === this.#domains[port]) return true
    this.#trail.length = 0
    this.#set(port, domain)
    return this.#settle()
  }

  /** Makes two ports agree in everything, or in field `field` of the first and `otherField` of the second. False = impossible, nothing changed. */
  tie(a: number, b: number, field?: string, otherField = field): boolean {
    this.#trail.length = 0
    this.#ties[a]!.push(field === undefined ? { other: b } : { other: b, mine: field, theirs: otherField! })
    this.#ties[b]!.push(field === undefined ? { other: a } : { other: a, mine: otherField!, theirs: field })
    // The consumer is narrowed first, so that its order of preference follows the producer's.
    this.#enqueue(a)
    this.#enqueue(b)
    if (this.#settle()) return true
    this.#ties[a]!.pop()
    this.#ties[b]!.pop()
    return false
  }

  #set(port: number, domain: Domain): void {
    this.#trail.push([port, this.#domains[port]!])
    this.#domains[port] = domain
    this.#enqueue(port)
  }

  #enqueue(port: number): void {
    if (this.#queued[port] === true) return
    this.#queued[port] = true
    this.#queue.push(port)
  }

  #settle(): boolean {
    for (let head = 0; head < this.#queue.length; head++) {
      const port = this.#queue[head]!
      this.#queued[port] = false
      const source = this.#domains[port]!
      for (const { other, mine, theirs } of this.#ties[port]!) {
        const before = this.#domains[other]!
        const after = mine === undefined ? revise(before, source) : reviseOneField(before, theirs!, source, mine)
        if (after === before) continue
        if (after === undefined) { this.#undo(head); return false }
        this.#set(other, after)
      }
    }
    this.#queue.length = 0
    return true
  }

  #undo(head: number): void {
    for (let i = head; i < this.#queue.length; i++) this.#queued[this.#queue[i]!] = false
    this.#queue.length = 0
    for (let i = this.#trail.length - 1; i >= 0; i--) this.#domains[this.#trail[i]![0]] = this.#trail[i]![1]
    this.#trail.length = 0
  }
}
