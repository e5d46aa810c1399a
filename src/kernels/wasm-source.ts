import { kernelErrors } from './errors.js'
import { hostFacts } from './host-facts.js'

/** Where a module may come from: bytes, a compiled module, a response, a URL or (in Node) a path, or a promise of them. */
export type WasmSource = ArrayBufferView | ArrayBuffer | WebAssembly.Module | Response | URL | string | Promise<ArrayBufferView
  | ArrayBuffer | WebAssembly.Module | Response>

/** A source once it is at hand: bytes that may be checked and patched, or a module that someone has compiled. */
export type WasmInput =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'module'; readonly module: WebAssembly.Module }
  /** Bytes that the host has begun to compile while they arrived (PK-49). */
  | { readonly kind: 'stream'; readonly bytes: Uint8Array; readonly module: Promise<WebAssembly.Module> }

/**
 * Fetches or unwraps a source. `streaming`: compile while loading when the type is `application/wasm`. Throws `KERNEL_ABI` naming the
 * module: an option that is given is used or fails (PK-03).
 */
export async function openWasmSource(name: string, source: WasmSource, streaming: boolean, signal?: AbortSignal): Promise<WasmInput> {
  const value = await source
  // A Response is read as often as it is asked for: an engine compiles for shared memory, and may for private memory.
  if (typeof value === 'string' || value instanceof URL) return openLocation(name, value, streaming, signal)
  if (typeof Response === 'function' && value instanceof Response) return openResponse(name, value.clone(), streaming)
  if (value instanceof WebAssembly.Module) return { kind: 'module', module: value }
  if (ArrayBuffer.isView(value)) return { kind: 'bytes', bytes: new Uint8Array(value.buffer, value.byteOffset, value.byteLength) }
  if (isBuffer(value)) return { kind: 'bytes', bytes: new Uint8Array(value) }
  throw kernelErrors.KERNEL_ABI({
    module: name, what: 'source', expected: 'bytes, a module, a Response, a URL or a path', got: typeof value,
  })
}

function isBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer)
}

async function openLocation(name: string, location: string | URL, streaming: boolean, signal: AbortSignal | undefined): Promise<WasmInput> {
  const text = String(location), file = text.startsWith('file:') || !/^[a-z][a-z0-9+.-]+:/i.test(text)
  if (file && hostFacts().node) return { kind: 'bytes', bytes: await readFile(name, text) }
  let response: Response
  try {
    response = await fetch(text, signal === undefined ? {} : { signal })
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    throw kernelErrors.KERNEL_ABI({
      module: name, what: `source ${text}`, expected: 'a file that can be fetched',
      got: cause instanceof Error ? cause.message : String(cause),
    }, { cause })
  }
  return openResponse(name, response, streaming)
}

async function openResponse(name: string, response: Response, streaming: boolean): Promise<WasmInput> {
  if (!response.ok) {
    throw kernelErrors.KERNEL_ABI({ module: name, what: `source ${response.url}`, expected: 'status 200', got: String(response.status) })
  }
  const typed = (response.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase() === 'application/wasm'
  if (!streaming || !typed || typeof WebAssembly.compileStreaming !== 'function') {
    return { kind: 'bytes', bytes: new Uint8Array(await response.arrayBuffer()) }
  }
  const copy = response.clone(), module = WebAssembly.compileStreaming(response)
  // Who reads `module` sees its error; until then it must not count as unhandled.
  module.catch(() => {})
  return { kind: 'stream', bytes: new Uint8Array(await copy.arrayBuffer()), module }
}

interface FileSystem { readonly promises: { readFile(path: string | URL): Promise<Uint8Array> } }

async function readFile(name: string, text: string): Promise<Uint8Array> {
  const { promises } = (process as unknown as { getBuiltinModule(id: string): FileSystem }).getBuiltinModule('fs')
  try {
    return await promises.readFile(text.startsWith('file:') ? new URL(text) : text)
  } catch (cause) {
    throw kernelErrors.KERNEL_ABI({
      module: name, what: `source ${text}`, expected: 'a readable file', got: cause instanceof Error ? cause.message : String(cause),
    }, { cause })
  }
}
