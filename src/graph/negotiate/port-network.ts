import { remembering } from '../remembering.js'
import { narrowField, revise, reviseOneField, type Domain, type FieldPlace } from './domain.js'
import { valuesDomain, type FieldDomain, type FieldValue } from './field-domain.js'

/** What is left of a port's domain beside that of a port tied to it. */
type Revision = (target: Domain) => (source: Domain) => Domain | undefined
/** Port `other` must agree with this one, in everything or in one field. A port's ties are a chain: lists would be mostly empty room. */
interface Tie { readonly other: number; readonly revision: Revision; next: Tie | undefined }

/**
 * Ports as variables with domains, tied by edges (whole media), type variables (whole media) and field links. Setting or tying narrows
 * until nothing changes; a step that leaves some port without a value is undone as if it had not been asked for. Iterative; memory is
 * linear in ports and ties.
 */
export class PortNetwork {
  readonly #domains: Domain[] = []
  readonly #firstTies: (Tie | undefined)[] = []
  readonly #lastTies: (Tie | undefined)[] = []
  readonly #whole: Revision = remembering((target) => remembering((source) => revise(target, source)))
  readonly #ofFields = remembering((mine: string) => remembering((theirs: string): Revision => remembering((target) =>
    remembering((source) => reviseOneField(target, theirs, source, mine)))))
  /** Exactly this value, and {@link narrowField}: one object for each. */
  readonly only = remembering((value: FieldValue) => valuesDomain([value]))
  readonly narrowed = remembering((f: FieldPlace) => remembering((value: FieldDomain) => remembering((domain: Domain) =>
    narrowField(domain, f, value))))
  /** Domains in which nothing is left to choose. */
  readonly settled = new Set<Domain>()
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
    this.#firstTies.push(undefined)
    this.#lastTies.push(undefined)
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

  /**
   * Makes two ports agree in everything, or in field `field` of the first and `otherField` of the
   * second. False = impossible, nothing changed.
   */
  tie(a: number, b: number, field?: string, otherField = field): boolean {
    this.#trailCount = 0
    // Only the new tie is looked at; what it changes is followed further. The consumer goes first, so that its
    // order of preference follows the producer's.
    const whole = field === undefined || otherField === undefined, beforeA = this.#lastTies[a], beforeB = this.#lastTies[b]
    const forth = this.#append(a, b, whole ? this.#whole : this.#ofFields(field)(otherField))
    const back = this.#append(b, a, whole ? this.#whole : this.#ofFields(otherField)(field))
    if (this.#follow(a, forth) && this.#follow(b, back) && this.#settle()) return true
    this.#undo()
    this.#cut(b, beforeB)
    this.#cut(a, beforeA)
    return false
  }

  #append(port: number, other: number, revision: Revision): Tie {
    const tie: Tie = { other, revision, next: undefined }, last = this.#lastTies[port]
    if (last === undefined) this.#firstTies[port] = tie
    else last.next = tie
    return this.#lastTies[port] = tie
  }

  /** Takes off what was appended behind `last`. */
  #cut(port: number, last: Tie | undefined): void {
    this.#lastTies[port] = last
    if (last === undefined) this.#firstTies[port] = undefined
    else last.next = undefined
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
  #follow(port: number, { other, revision }: Tie): boolean {
    const source = this.#domains[port]!, before = this.#domains[other]!
    if (source === before && revision === this.#whole) return true
    const after = revision(before)(source)
    if (after === undefined) return false
    if (after !== before) this.#set(other, after)
    return true
  }

  #settle(): boolean {
    for (let head = 0; head < this.#queueCount; head++) {
      const port = this.#queue[head]!
      this.#queued[port] = false
      for (let tie = this.#firstTies[port]; tie !== undefined; tie = tie.next) if (!this.#follow(port, tie)) return false
    }
    this.#queueCount = 0
    return true
  }

  #undo(): void {
    while (this.#queueCount > 0) this.#queued[this.#queue[--this.#queueCount]!] = false
    while (this.#trailCount > 0) this.#domains[this.#trail[--this.#trailCount]!] = this.#before[this.#trailCount]!
  }
}
