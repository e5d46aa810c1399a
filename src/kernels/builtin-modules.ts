/**
 * The bytes of the modules that ship with the engine, inlined once per entry by `scripts/inline.mjs`. Only engine entries import this
 * file: workers and worklets receive compiled modules (PK-16).
 */
import { base64 as convert } from '../../assembly/build/convert.wasm'
import { base64 as detect } from '../../assembly/build/detect.wasm'
import { base64 as level } from '../../assembly/build/level.wasm'
import { base64 as core } from '../../wasm/pkg/millrace_core.wasm'
import { decodeBase64 } from './base64.js'

/** Names of the built-in modules: `core` is Rust, the others are AssemblyScript. */
export type BuiltinModule = 'core' | 'convert' | 'level' | 'detect'

const TEXTS: Readonly<Record<BuiltinModule, string>> = { core, convert, level, detect }

/** Every built-in module, the core first: it is instantiated before the others (PK-24). */
export const BUILTIN_MODULES: readonly BuiltinModule[] = ['core', 'convert', 'level', 'detect']

/** A fresh copy of the bytes of module `name`; the caller owns it and may patch it (PK-28). About 0.1 ms for the core. */
export function builtinModuleBytes(name: BuiltinModule): Uint8Array<ArrayBuffer> {
  return decodeBase64(TEXTS[name])
}
