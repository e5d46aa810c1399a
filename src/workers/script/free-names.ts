import { TokenCursor, type Scope } from './token-cursor.js'
import { tokensOf, type Token } from './tokens.js'

const VALUES = new Set(['null', 'true', 'false', 'super', 'import', 'debugger'])
const PREFIXES = new Set(['!', '~', '+', '-', '++', '--', '...', 'typeof', 'void', 'delete', 'await', 'new'])
const BINARY = new Set([
  '+', '-', '*', '/', '%', '**', '<<', '>>', '>>>', '&', '|', '^', '&&', '||', '??', '==', '!=', '===', '!==', '<', '>', '<=', '>=',
  'instanceof',
])
const ASSIGNING = /^(?:[-+*/%&|^]|\*\*|<<|>>>?|&&|\|\||\?\?)?=$/
const CLOSING = new Set([')', ']', '}', ',', ';', ':'])

/**
 * Names that a function's text uses and nothing in it declares, `this` of the function itself among them, sorted. Follows scopes as the
 * language has them (blocks, functions, classes, patterns with defaults, labels, templates); a name that is only the operand of `typeof` is
 * not used. Throws SyntaxError for what it does not understand.
 */
export function freeNames(text: string): string[] {
  const reader = new Reader(tokensOf(text))
  reader.assignment()
  reader.end()
  return [...reader.scope.used].filter((name) => !reader.scope.names.has(name)).sort()
}

class Reader extends TokenCursor {
  end(): void { if (this.at < this.tokens.length) this.refuse() }

  /** One expression without commas. `noIn`: head of a `for`. */
  assignment(noIn = false): void {
    for (;;) {
      if (this.#arrow(noIn)) return
      if (this.is('yield')) {
        this.at++
        this.take('*')
        const next = this.peek()
        if (next === undefined || (next.kind === 'sign' && CLOSING.has(next.text)) || next.newline) return
        continue
      }
      while (PREFIXES.has(this.peek()?.text ?? '') && this.peek()!.kind !== 'literal') {
        if (this.is('new') && this.is('.', 1)) break
        this.at++
      }
      if (this.is('yield') || this.#isArrow()) continue
      this.#operand()
      this.#suffixes()
      const next = this.peek()
      if (next === undefined || next.kind === 'literal') return
      if (BINARY.has(next.text) || (next.text === 'in' && !noIn)) { this.at++; continue }
      if (next.text === '?') {
        this.at++
        this.assignment()
        this.need(':')
        continue
      }
      if (next.kind === 'sign' && ASSIGNING.test(next.text)) { this.at++; continue }
      return
    }
  }

  #expression(noIn = false): void {
    do this.assignment(noIn); while (this.take(','))
  }

  #suffixes(): void {
    for (;;) {
      if (this.take('.') || this.take('?.')) {
        const next = this.peek()
        if (next?.kind === 'name' || next?.kind === 'private') this.at++
      } else if (this.is('[') || this.is('(')) this.#list()
      else if (this.take('++') || this.take('--')) continue
      else if (this.peek()?.kind === 'literal' && this.peek()!.text.startsWith('`')) {
        // A tag: the texts and expressions of the template follow as a sum.
        this.at++
      } else return
    }
  }

  /** Brackets with expressions, spreads and holes. */
  #list(): void {
    const close = this.next().text === '(' ? ')' : ']'
    while (!this.take(close)) if (!this.take(',')) this.assignment()
  }

  #operand(): void {
    const { kind, text } = this.next()
    if (kind === 'literal' || kind === 'private') return
    if (kind === 'name') {
      if (text === 'function' || (text === 'async' && this.is('function') && !this.peek()!.newline)) { this.at -= 1; this.#function(false) }
      else if (text === 'class') this.#class(false)
      else if (text === 'new') { this.need('.'); this.next() }
      else if (text === 'this') { if (this.outermost()) this.use('this') }
      else if (!VALUES.has(text) && (this.tokens[this.at - 2]?.text !== 'typeof' || ['.', '?.', '[', '('].some((sign) => this.is(sign)))) {
        this.use(text)
      }
      return
    }
    this.at--
    if (text === '(' || text === '[') this.#list()
    else if (text === '{') this.#object()
    else this.refuse()
  }

  #object(): void {
    this.need('{')
    while (!this.take('}')) {
      if (this.take(',')) continue
      if (this.take('...')) { this.assignment(); continue }
      const key = this.#key()
      if (this.is('(')) this.#callable(true)
      else if (this.take(':')) this.assignment()
      else {
        if (key?.kind === 'name') this.use(key.text); else this.refuse()
        if (this.take('=')) this.assignment()
      }
    }
  }

  /** A property name with what may stand before it; the name when it is a plain one. */
  #key(): Token | undefined {
    while (this.peek()?.kind === 'name' && ['get', 'set', 'async', 'static', 'accessor'].includes(this.peek()!.text)
      && !['(', ',', ':', '=', '}', ';'].includes(this.tokens[this.at + 1]?.text ?? '}')) this.at++
    this.take('*')
    if (this.take('[')) {
      this.assignment()
      this.need(']')
      return undefined
    }
    return this.next()
  }

  #class(declares: boolean): void {
    const named = this.peek()?.kind === 'name' && !this.is('extends')
    if (named && declares) this.scope.names.add(this.peek()!.text)
    this.within(false, false, () => {
      if (named) this.scope.names.add(this.next().text)
      if (this.take('extends')) { this.#operand(); this.#suffixes() }
      this.need('{')
      while (!this.take('}')) {
        if (this.take(';')) continue
        if (this.is('static') && this.is('{', 1)) {
          this.at++
          this.within(true, true, () => { this.#block() })
          continue
        }
        this.#key()
        if (this.is('(')) this.#callable(true)
        else if (this.take('=')) this.within(true, true, () => { this.assignment() })
      }
    })
  }

  /** From `function` or `async` on. */
  #function(declares: boolean): void {
    this.take('async')
    this.need('function')
    this.take('*')
    const name = this.peek()?.kind === 'name' ? this.next().text : undefined
    if (name !== undefined && declares) this.scope.names.add(name)
    this.#callable(true, name)
  }

  /** Parameters and body. */
  #callable(own: boolean, name?: string): void {
    this.within(true, own, () => {
      if (name !== undefined) this.scope.names.add(name)
      this.scope.names.add('arguments')
      this.#params()
      this.need('{')
      this.#statements()
    })
  }

  #params(): void {
    this.need('(')
    while (!this.take(')')) if (!this.take(',')) this.#pattern(this.scope)
  }

  #isArrow(): boolean {
    const from = this.at + (this.is('async') && !this.is('=>', 1) ? 1 : 0), first = this.tokens[from]
    if (first === undefined || (from > this.at && first.newline)) return false
    const after = first.text === '(' && first.kind === 'sign' ? this.tokens[(this.closes.get(from) ?? from) + 1]
      : first.kind === 'name' ? this.tokens[from + 1]
      : undefined
    return after?.text === '=>' && after.kind === 'sign'
  }

  #arrow(noIn: boolean): boolean {
    if (!this.#isArrow()) return false
    if (this.is('async') && !this.is('=>', 1)) this.at++
    this.within(true, false, () => {
      if (this.is('(')) this.#params(); else this.scope.names.add(this.next().text)
      this.need('=>')
      if (this.take('{')) this.#statements(); else this.assignment(noIn)
    })
    return true
  }

  /** A name, or a pattern of names, with a default. */
  #pattern(into: Scope, noDefault = false): void {
    this.take('...')
    if (this.take('[')) { while (!this.take(']')) if (!this.take(',')) this.#pattern(into) }
    else if (this.take('{')) {
      while (!this.take('}')) {
        if (this.take(',')) continue
        if (this.is('...')) { this.#pattern(into); continue }
        const key = this.#key()
        if (this.take(':')) this.#pattern(into)
        else {
          if (key?.kind === 'name') into.names.add(key.text); else this.refuse()
          if (this.take('=')) this.assignment()
        }
      }
    } else if (this.peek()?.kind === 'name') into.names.add(this.next().text)
    else this.refuse()
    if (!noDefault && this.take('=')) this.assignment()
  }

  /** Up to the closing brace, which it takes. */
  #statements(): void { while (!this.take('}')) this.#statement() }

  #block(): void {
    this.need('{')
    this.within(false, false, () => { this.#statements() })
  }

  #statement(): void {
    const token = this.peek()
    if (token === undefined) this.refuse()
    if (this.take(';')) return
    if (this.is('{')) { this.#block(); return }
    const { kind, text } = token!
    if (kind !== 'name') { this.#expression(); return }
    if (this.is(':', 1)) { this.at += 2; return }
    switch (text) {
      case 'var': case 'const': this.#declarations(false); return
      case 'let':
        if (this.tokens[this.at + 1]?.kind === 'name' || this.is('[', 1) || this.is('{', 1)) { this.#declarations(false); return }
        break
      case 'function': this.#function(true); return
      case 'async': if (this.is('function', 1) && !this.tokens[this.at + 1]!.newline) { this.#function(true); return } break
      case 'class': this.at++; this.#class(true); return
      case 'if': case 'while': case 'with':
        this.at++
        this.#list()
        this.#statement()
        // The end of an expression before it.
        this.take(';')
        if (text === 'if' && this.take('else')) this.#statement()
        return
      case 'do':
        this.at++
        this.#statement()
        this.take(';')
        this.need('while')
        this.#list()
        return
      case 'for': this.#for(); return
      case 'return': case 'throw': {
        this.at++
        const next = this.peek()
        if (next !== undefined && !next.newline && !(next.kind === 'sign' && CLOSING.has(next.text))) this.#expression()
        return
      }
      case 'break': case 'continue':
        this.at++
        if (this.peek()?.kind === 'name' && !this.peek()!.newline) this.at++
        return
      case 'switch': this.#switch(); return
      case 'try': this.#try(); return
    }
    this.#expression()
  }

  /** `var`, `let` or `const` with all that it declares. */
  #declarations(inFor: boolean): void {
    const into = this.next().text === 'var' ? this.functionScope() : this.scope
    do {
      this.#pattern(into, true)
      if (this.take('=')) this.assignment(inFor)
    } while (this.take(','))
  }

  #for(): void {
    this.at++
    this.take('await')
    this.need('(')
    this.within(false, false, () => {
      if (this.is('var') || this.is('let') || this.is('const')) this.#declarations(true)
      else if (!this.is(';')) this.#expression(true)
      if (this.take('of') || this.take('in')) this.#expression()
      else for (let part = 0; part < 2; part++) {
        this.need(';')
        if (!this.is(';') && !this.is(')')) this.#expression()
      }
      this.need(')')
      this.#statement()
    })
  }

  #switch(): void {
    this.at++
    this.#list()
    this.need('{')
    this.within(false, false, () => {
      while (!this.take('}')) {
        if (this.take('case')) { this.#expression(); this.need(':') }
        else if (this.is('default') && this.is(':', 1)) this.at += 2
        else this.#statement()
      }
    })
  }

  #try(): void {
    this.at++
    this.#block()
    if (this.take('catch')) {
      this.within(false, false, () => {
        if (this.take('(')) {
          this.#pattern(this.scope)
          this.need(')')
        }
        this.#block()
      })
    }
    if (this.take('finally')) this.#block()
  }
}
