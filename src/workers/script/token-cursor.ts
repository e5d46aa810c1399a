import type { Token } from './tokens.js'

/** Where names are declared. `own`: a function with `this` of its own. */
export interface Scope {
  readonly names: Set<string>
  readonly used: Set<string>
  readonly parent: Scope | undefined
  readonly fn: boolean
  readonly own: boolean
}

/** A place among the tokens of a function's text, and the scope that it is in. */
export class TokenCursor {
  scope: Scope = { names: new Set(), used: new Set(), parent: undefined, fn: true, own: false }
  readonly tokens: readonly Token[]
  /** Index of the closing bracket of each opening one. */
  readonly closes = new Map<number, number>()
  at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
    const open: number[] = []
    tokens.forEach(({ kind, text }, i) => {
      if (kind !== 'sign') return
      if (text === '(' || text === '[' || text === '{') open.push(i)
      else if (text === ')' || text === ']' || text === '}') this.closes.set(open.pop() ?? -1, i)
    })
  }

  /** A scope inside this one: what it uses and does not declare is used here. */
  within(fn: boolean, own: boolean, read: () => void): void {
    const outer = this.scope, inner: Scope = { names: new Set(), used: new Set(), parent: outer, fn, own }
    this.scope = inner
    read()
    this.scope = outer
    for (const name of inner.used) if (!inner.names.has(name)) outer.used.add(name)
  }

  /** Where a `var` is declared. */
  functionScope(): Scope {
    let scope = this.scope
    while (!scope.fn && scope.parent !== undefined) scope = scope.parent
    return scope
  }

  /** True where `this` is that of the function whose text is read. */
  outermost(): boolean {
    let owners = 0
    for (let scope: Scope | undefined = this.scope; scope !== undefined; scope = scope.parent) if (scope.own) owners++
    const first = this.tokens[0]!.text
    return owners <= (first === 'function' || (first === 'async' && this.tokens[1]!.text === 'function') ? 1 : 0)
  }

  use(name: string): void { this.scope.used.add(name) }
  peek(): Token | undefined { return this.tokens[this.at] }
  /** True when the token there is this name or sign. */
  is(text: string, ahead = 0): boolean {
    const token = this.tokens[this.at + ahead]
    return token !== undefined && token.text === text && token.kind !== 'literal'
  }
  take(text: string): boolean { if (!this.is(text)) return false; this.at++; return true }
  need(text: string): void { if (!this.take(text)) this.refuse() }
  /** Takes a token. Throws SyntaxError at the end. */
  next(): Token { return this.tokens[this.at++] ?? this.refuse() }
  refuse(): never { throw new SyntaxError(`unexpected ${this.peek()?.text ?? 'end'}`) }
}
