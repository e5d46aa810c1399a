/**
 * Question: what does the first engine pay for its inlined modules? Hypothesis: base64 decoding of all of them stays under 1 ms, compiling under 15 ms (PK-17). The
 * second variant of each row is the plainest way to do the same.
 */
import { bench } from './support/bench.js'
import { decodeBase64 } from '../src/kernels/base64.js'
import { BUILTIN_MODULES, builtinModuleBytes } from '../src/kernels/builtin-modules.js'

/** Base64 by `atob` alone: what a browser without `fromBase64` does. */
function byAtob(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** Bytes as base64, to decode them again. */
function encode(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

let calls = 0

/** The module with a custom section that no call before had: engines keep compiled code by the bytes, and a cold start has none. */
function unseen(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = String(calls++).padStart(8, '0')
  const own = new Uint8Array(bytes.length + 3 + name.length)
  own.set(bytes)
  own.set([0, name.length + 1, name.length], bytes.length)
  for (let i = 0; i < name.length; i++) own[bytes.length + 3 + i] = name.charCodeAt(i)
  return own
}

export const loadBench = bench('load', async (b) => {
  const bytes = BUILTIN_MODULES.map((name) => builtinModuleBytes(name))
  const texts = bytes.map(encode)
  const total = bytes.reduce((sum, module) => sum + module.length, 0)
  b.note(`${bytes.length} modules, ${total} bytes`)
  await b.compare('decode all modules', {
    decodeBase64: () => texts.map(decodeBase64),
    'Uint8Array.from(atob)': () => texts.map(byAtob),
  }, { unit: { name: 'bytes', count: total } })
  const row = await b.compare('decode and compile all modules', {
    asynchronous: async () => Promise.all(texts.map((text) => WebAssembly.compile(unseen(decodeBase64(text))))),
    'one by one, synchronous': () => texts.map((text) => new WebAssembly.Module(unseen(decodeBase64(text)))),
  }, { unit: { name: 'bytes', count: total }, rounds: 8 })
  const p50 = row.variants[0]!.p50Ms
  b.note(`bar 15 ms: ${p50.toFixed(2)} ms, ${p50 < 15 ? 'met' : 'missed'}`)
})
