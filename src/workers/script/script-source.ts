import { commonErrors } from '../../errors/common-errors.js'
import type { NodeDefinition } from '../../graph/node-definition.js'
import { freeNames } from './free-names.js'
import type { ScriptSource } from './protocol.js'

const FUNCTIONS = ['process', 'pull', 'init', 'reset', 'dispose', 'flush'] as const
/** A method's text up to its parameters: `async *name`, a quoted or a computed name. */
const METHOD = /^(async(?![\w$])\s*)?(\*)?\s*(?:[\w$\u00a0-\uffff]+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[[^]*?\])\s*(?=\()/
/** What compilers put into functions to keep their names (esbuild). */
const HELPERS = 'const __name = (f) => f\n'

/**
 * Where a thread gets a node type's functions. Throws `INVALID_ARGUMENT` for functions that have no text. `node`: paths are the file
 * system's. `mark`: what tells the bytes at `codeURL` from those that stood there before; as a fragment, which no file system or server
 * sees, it makes the address another module to the thread, which keeps modules by address.
 */
export function scriptSource(definition: NodeDefinition, node: boolean, mark?: string): ScriptSource {
  if (definition.codeURL !== undefined) {
    const url = resolveUrl(definition.codeURL, node)
    return { url: mark === undefined ? url : `${url}${url.includes('#') ? '&' : '#'}millrace=${mark}` }
  }
  const names = new Set<string>(), lines: string[] = [], exported: string[] = []
  for (const [n, name] of FUNCTIONS.entries()) {
    const own: unknown = definition[name]
    if (typeof own !== 'function') continue
    const text = functionText(own as () => unknown, `${definition.type} ${name}`)
    for (const used of namesOf(text)) names.add(used)
    // Not under its own name: `process` is also a global of Node.
    lines.push(`const $millrace${n} = (${text})`)
    exported.push(`$millrace${n} as ${name}`)
  }
  names.delete('__name')
  return { text: `${HELPERS}${lines.join('\n')}\nexport { ${exported.join(', ')} }\n`, names: [...names].sort() }
}

/** A function's text as an expression: methods become functions. */
export function functionText(own: () => unknown, where: string): string {
  const text = Function.prototype.toString.call(own)
  if (/\{\s*\[native code\]\s*\}$/.test(text)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: where, expected: "a function with a text (thread: 'worker')", got: 'a bound or native function',
      hint: 'Give the function itself, or codeURL.',
    })
  }
  const method = METHOD.exec(text)
  const isFunction = /^(?:async\s+)?function(?![\w$])/.test(text) || /^class(?![\w$])/.test(text)
  if (isFunction || method === null || isArrow(text, method[0].trim())) return text
  return `${method[1] === undefined ? '' : 'async '}function${method[2] ?? ''} ${text.slice(method[0].length)}`
}

/** `async (x) => …` looks like a method called async. */
function isArrow(text: string, head: string): boolean {
  if (head !== 'async') return false
  let depth = 0
  for (let i = text.indexOf('('); i < text.length; i++) {
    if (text[i] === '(') depth++
    else if (text[i] === ')' && --depth === 0) return /^\s*=>/.test(text.slice(i + 1))
  }
  return false
}

/** What cannot be read is left to the thread: it refuses the module, or the name fails when it is used. */
function namesOf(text: string): string[] {
  try { return freeNames(text) } catch { return [] }
}

/** A module's place as any thread of this host finds it. */
function resolveUrl(url: string | URL, node: boolean): string {
  if (typeof url !== 'string') return url.href
  if (/^[a-z][a-z+.-]+:/i.test(url)) return url
  if (node) return (process.getBuiltinModule('url') as unknown as { pathToFileURL(path: string): URL }).pathToFileURL(url).href
  return new URL(url, location.href).href
}
