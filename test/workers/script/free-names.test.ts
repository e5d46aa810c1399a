import { describe, expect, test } from 'vitest'
import { freeNames } from '../../../src/workers/script/free-names.js'

const cases: readonly [what: string, text: string, free: string[]][] = [
  ['parameters', '(a, { b, c: d, ...e }, [f, , g] = [], h = a) => a + b + d + e + f + g + h', []],
  ['a free variable', '(a) => a + outside', ['outside']],
  ['a key is not its value', '({ b: d }) => b + d', ['b']],
  ['defaults see what stands before them, and outside', '(a, b = a + c) => b', ['c']],
  [
    'property names and members',
    '(a) => ({ name: a.other, get x() { return 1 }, set x(v) {}, async y() {}, *z() {}, async *w() {}, "q": 1, 2: 3, [k]: a?.b?.[c] })',
    ['c', 'k'],
  ],
  ['shorthand is a use', '() => ({ free, async, get })', ['async', 'free', 'get']],
  [
    'strings, comments, expressions',
    '() => { /* no1 */ const s = "no2 ${no3}" + \'no4\' // no5\n return /no6[/]no7/g.test(s) ? s / yes / 2 : 0 }',
    ['yes'],
  ],
  ['templates, nested', '(a) => `no ${a + `${b} no ${c}`} no ${ { d }.d } \\${no}`', ['b', 'c', 'd']],
  ['tags', '(a) => tag`no ${a} ${b}`', ['b', 'tag']],
  ['block scopes', '() => { { const x = 1; x } return x }', ['x']],
  ['var is the function\'s', '() => { if (1) { var x = 1 } return x }', []],
  [
    'hoisted functions and classes',
    '() => { return f() + new C().m; function f() { return g } class C { m = h; static { i } #p = 1; has(o) { return #p in o } } }',
    ['g', 'h', 'i'],
  ],
  ['names of expressions are inside', '() => { const f = function own() { return own }; return own }', ['own']],
  ['loops', 'async (list) => { for (const x of list) x; for (let i = 0, n = m; i < n; i++) i; for await (const [y] of z) y; for (k in list); x; i }', ['i', 'k', 'm', 'x', 'z']],
  ['a for without in', '() => { for (let i = ("a" in b) ? 1 : 2; i < 3;) i; for (const k in { c }) k }', ['b', 'c']],
  ['catch and its pattern', '() => { try { a } catch ({ message, ...rest }) { message; rest } finally { message } try {} catch { b } }',
    ['a', 'b', 'message']],
  ['labels', '() => { outer: for (;;) { inner: { break inner } continue outer } }', []],
  [
    'statements without braces',
    '(a) => { if (a) x(); else if (a) { y } else z(); do u(); while (a); if (a) for (;;) v(); else; if (a) if (a) return; else w; else do s; while (a) }',
    ['s', 'u', 'v', 'w', 'x', 'y', 'z'],
  ],
  ['switch', '(a) => { switch (a) { case b: { let c; c } case a ? 1 : 2: d; break; default: const e = 1; e } return e }', ['b', 'd', 'e']],
  ['nested functions', '(a) => function (b) { return async (c) => { return a + b + c + d + arguments.length } }', ['d']],
  ['arguments of an arrow', '() => arguments', ['arguments']],
  ['assignments to patterns', '(a) => { let b; [b, a.c] = [1, 2]; ({ b, x: a.y, z = w } = a) }', ['w', 'z']],
  ['typeof asks only', '() => typeof window === "object" && typeof global.x', ['global']],
  ['new.target, import.meta, import()', 'function () { return [new.target, import.meta.url, import(where), new (what())()] }',
    ['what', 'where']],
  ['generators', 'async function* (a) { yield a; yield; const b = yield* c; await (yield b); return yield }', ['c']],
  ['without semicolons', '(a) => {\n let b = a\n const c = b\n b = c\n ;[b] = [d]\n return\n e }', ['d', 'e']],
  ['this of the function itself', 'function () { return this }', ['this']],
  ['this of an arrow', '() => this.x', ['this']],
  ['this of functions and classes inside',
    'function () { return [function () { return this }, class { a = this; b() { return () => this } }] }', []],
  ['regular expressions after heads', '(a) => { if (a) /no/.test(a); return a ? /[}/"]/ : a / b / c }', ['b', 'c']],
  ['names with escapes and other letters', '(\u00e9) => \u00e9 + $ + _ + \u03b1\u03b2', ['$', '_', '\u03b1\u03b2']],
  ['of, let and async as names', '(of, async, get) => { for (const of2 of of) of2; async = get; return async(of) }', []],
  ['arrows without parentheses', 'async a => b => a + b + c', ['c']],
  ['comma and sequence', '(a) => (a, b, (c, d) => c + d + e)', ['b', 'e']],
  ['numbers of all kinds', '() => 0x1f + 1_000 + .5 + 1e-3 + 10n + 0b1 + 1..toString().length', []],
  ['optional chains and ternaries with decimals', '(a) => a?.5:b', ['b']],
  ['async function in blocks', '() => { async function f() {} ; { function g() {} g } f; g }', ['g']],
  ['getters in classes with computed names',
    '() => class A extends B { static async *[c]() { d } get e() { return f } static g = h; "i"() {} }', ['B', 'c', 'd', 'f', 'h']],
]

describe('free variables of a function\'s text', () => {
  test.each(cases)('%s', (_what, text, free) => { expect(freeNames(text)).toEqual(free) })

  test('every function of this file\'s own reader is understood', () => {
    for (const own of [freeNames, test, describe, Array.prototype.constructor as never]) {
      const text = Function.prototype.toString.call(own)
      if (!text.includes('[native code]')) expect(() => freeNames(text)).not.toThrow()
    }
  })

  test('what is cut off is refused, and nothing hangs', () => {
    const whole = cases.map(([, text]) => text)
    for (const text of whole) for (let n = 0; n < text.length; n++) {
      try { freeNames(text.slice(0, n)) } catch (error) { expect(error).toBeInstanceOf(SyntaxError) }
    }
  })
})
