interface Vertex { order: number; readonly out: number[]; readonly into: number[] }

/**
 * Topological order of a growing and shrinking graph (D. J. Pearce, P. H. J. Kelly, "A dynamic topological sort algorithm for directed
 * acyclic graphs", ACM JEA 11, 2006). A question costs nothing when the order answers it, else a walk over the nodes between the two ends.
 * Edges that close a cycle are kept aside.
 */
export class IncrementalOrder {
  readonly #vertices: Vertex[] = []
  /** Edges that close a cycle: pairs. */
  #aside: [number, number][] = []
  #next = 0

  /** Adds a node; its number. */
  add(): number { return this.#vertices.push({ order: this.#next++, out: [], into: [] }) - 1 }

  /** True when some edge ends at the node, or starts there. */
  linked(node: number): boolean {
    const { out, into } = this.#vertices[node]!
    return out.length > 0 || into.length > 0 || this.#aside.some((edge) => edge.includes(node))
  }

  /** Nodes on a shortest way from one node to another, both included; undefined when there is none. */
  path(from: number, to: number): number[] | undefined {
    if (this.#aside.length === 0 && this.#vertices[from]!.order > this.#vertices[to]!.order) return undefined
    const last = this.#aside.length === 0 ? this.#vertices[to]!.order : Infinity, before = new Map([[from, from]]), found = [from]
    for (let i = 0; i < found.length && !before.has(to); i++) {
      const node = found[i]!
      const visit = (next: number): void => {
        if (this.#vertices[next]!.order <= last && !before.has(next)) { before.set(next, node); found.push(next) }
      }
      this.#vertices[node]!.out.forEach(visit)
      for (const [a, b] of this.#aside) if (a === node) visit(b)
    }
    if (!before.has(to)) return undefined
    const way = [to]
    while (way.at(-1) !== from) way.push(before.get(way.at(-1)!)!)
    return way.reverse()
  }

  /** Adds an edge; parallel ones count each. */
  link(from: number, to: number): void {
    const a = this.#vertices[from]!, b = this.#vertices[to]!
    if (a.order >= b.order) {
      const after = from === to ? undefined : this.#forward(to, from, a.order)
      if (after === undefined) { this.#aside.push([from, to]); return }
      this.#reorder(this.#backward(from, b.order), after)
    }
    a.out.push(to)
    b.into.push(from)
  }

  /** Takes one edge out. */
  unlink(from: number, to: number): void {
    const aside = this.#aside.findIndex(([a, b]) => a === from && b === to)
    if (aside >= 0) { this.#aside.splice(aside, 1); return }
    const { out } = this.#vertices[from]!, { into } = this.#vertices[to]!
    out.splice(out.indexOf(to), 1)
    into.splice(into.indexOf(from), 1)
    const again = this.#aside
    this.#aside = []
    for (const [a, b] of again) this.link(a, b)
  }

  /** What can be reached from a node at places up to `last`; undefined when `end` is among it. */
  #forward(start: number, end: number, last: number): number[] | undefined {
    const seen = new Set([start]), found = [start]
    for (let i = 0; i < found.length; i++) {
      for (const next of this.#vertices[found[i]!]!.out) {
        if (next === end) return undefined
        if (this.#vertices[next]!.order < last && !seen.has(next)) { seen.add(next); found.push(next) }
      }
    }
    return found
  }

  /** What reaches a node, at places from `first` on. */
  #backward(start: number, first: number): number[] {
    const seen = new Set([start]), found = [start]
    for (let i = 0; i < found.length; i++) {
      for (const next of this.#vertices[found[i]!]!.into) {
        if (this.#vertices[next]!.order > first && !seen.has(next)) { seen.add(next); found.push(next) }
      }
    }
    return found
  }

  /** Gives the places of both groups to the first, then to the second, each in its own order. */
  #reorder(before: number[], after: number[]): void {
    const byOrder = (a: number, b: number): number => this.#vertices[a]!.order - this.#vertices[b]!.order
    const nodes = [...before.sort(byOrder), ...after.sort(byOrder)]
    const places = nodes.map((node) => this.#vertices[node]!.order).sort((a, b) => a - b)
    nodes.forEach((node, i) => { this.#vertices[node]!.order = places[i]! })
  }
}
