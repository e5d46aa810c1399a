/**
 * The bytes of the modules that ship with the engine, inlined once per entry by `scripts/inline.mjs`. Only engine entries import this
 * file: workers and worklets receive compiled modules (PK-16).
 */
import { deflated as convert } from '../../assembly/build/convert.wasm'
import { deflated as detect } from '../../assembly/build/detect.wasm'
import { deflated as level } from '../../assembly/build/level.wasm'
import { deflated as core } from '../../wasm/pkg/millrace_core.wasm'
import { inflateText } from './inflate-text.js'

/** Names of the built-in modules: `core` is Rust, the others are AssemblyScript. */
export type BuiltinModule = 'core' | 'convert' | 'level' | 'detect'

const TEXTS: Readonly<Record<BuiltinModule, string>> = { core, convert, level, detect }

/** Every built-in module, the core first: it is instantiated before the others (PK-24). */
export const BUILTIN_MODULES: readonly BuiltinModule[] = ['core', 'convert', 'level', 'detect']

/** A fresh copy of the bytes of module `name`; the caller owns it and may patch it (PK-28). About 1 ms for the core. */
export function builtinModuleBytes(name: BuiltinModule): Promise<Uint8Array<ArrayBuffer>> {
  return inflateText(TEXTS[name])
}
