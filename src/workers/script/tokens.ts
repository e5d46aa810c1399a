/**
 * A token: what it says, and whether a line began before it. `kind`: name, literal (numbers, strings, regular
 * expressions, template text), private name, or sign.
 */
export interface Token { readonly kind: 'name' | 'literal' | 'private' | 'sign'; readonly text: string; readonly newline: boolean }

const SPACE = /(?:\s|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/)*/y
const NAME =
  /#?(?:[$_\p{ID_Start}]|\\u(?:[\da-fA-F]{4}|\{[\da-fA-F]+\}))(?:[$\u200c\u200d\p{ID_Continue}]|\\u(?:[\da-fA-F]{4}|\{[\da-fA-F]+\}))*/uy
const NUMBER = /(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?)n?/y
const STRING = /"(?:[^"\\\n\r]|\\(?:\r\n|[^]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[^]))*'/y
const REGEX = /\/(?:[^/\\[\n\r]|\\.|\[(?:[^\]\\\n\r]|\\.)*\])+\/[\p{ID_Continue}$]*/uy
const SIGN = />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|<<|>>|\*\*|[{}()[\];,<>+\-*/%&|^!~?:=.@]/y
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*/y
/** Names after which a slash begins a regular expression. */
const BEFORE_OPERAND =
  new Set(['return', 'typeof', 'instanceof', 'in', 'of', 'new', 'delete', 'void', 'throw', 'case', 'do', 'else', 'await', 'yield'])
const HEADS = new Set(['if', 'while', 'for', 'with'])

/**
 * Cuts JavaScript into tokens. A template becomes its texts joined with `+` and its expressions in parentheses. Whether a slash divides is
 * told from what stands before. Throws SyntaxError for what is no JavaScript.
 */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [], opened: number[] = []
  let at = 0, newline = false
  const eat = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (found === null) return undefined
    at = pattern.lastIndex
    return found[0]
  }
  const push = (kind: Token['kind'], text: string): void => {
    tokens.push({ kind, text, newline })
    newline = false
  }
  /** A slash here begins an expression. */
  const operandNext = (): boolean => {
    const last = tokens.at(-1)
    if (last === undefined) return true
    if (last.kind === 'name') return BEFORE_OPERAND.has(last.text) && tokens.at(-2)?.text !== '.'
    if (last.kind !== 'sign') return false
    if (last.text === ')') return HEADS.has(tokens[opened.at(-1)! - 1]?.text ?? '')
    return last.text !== ']' && last.text !== '}' && last.text !== '++' && last.text !== '--'
  }
  const template = (): void => {
    for (let first = true; ; first = false) {
      if (!first) push('sign', '+')
      push('literal', `\`${eat(TEMPLATE) ?? ''}`)
      if (source[at] === '`') { at++; return }
      if (!source.startsWith('${', at)) throw new SyntaxError('a template without end')
      at += 2
      push('sign', '+')
      push('sign', '(')
      run('}')
      at++
      push('sign', ')')
    }
  }
  const opens: number[] = []
  /** Up to the end, or to a `}` that nothing here opened. */
  const run = (until: '}' | ''): void => {
    for (let depth = 0; ;) {
      const from = at
      eat(SPACE)
      newline ||= /[\n\r\u2028\u2029]/.test(source.slice(from, at))
      if (at >= source.length) { if (until !== '') throw new SyntaxError('an expression without end'); return }
      const c = source[at]!
      if (until !== '' && c === '}' && depth === 0) return
      let text: string | undefined
      if (c === '`') { at++; template() }
      else if (/\d/.test(c) || (c === '.' && /\d/.test(source[at + 1] ?? ''))) push('literal', eat(NUMBER)!)
      else if ((c === '"' || c === "'") && (text = eat(STRING)) !== undefined) push('literal', text)
      else if (c === '/' && operandNext() && (text = eat(REGEX)) !== undefined) push('literal', text)
      else if ((text = eat(NAME)) !== undefined) push(text.startsWith('#') ? 'private' : 'name', text)
      else if ((text = eat(SIGN)) !== undefined) {
        if (text === '{') depth++
        else if (text === '}') depth--
        if (text === '(') opens.push(tokens.length)
        push('sign', text)
        if (text === ')') opened.push(opens.pop() ?? 0)
      } else throw new SyntaxError(`unexpected ${c}`)
    }
  }
  run('')
  return tokens
}
