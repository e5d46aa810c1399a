/**
 * The bytes of the modules that ship with the engine, inlined once per entry by `scripts/inline.mjs`, in parts that load when they are
 * wanted. Only engine entries import this file: workers and worklets receive compiled modules (PK-16).
 */
import { loadPart } from '../errors/load-part.js'
import { inflateText } from './inflate-text.js'

/** Names of the built-in modules: `core` is Rust, the others are AssemblyScript. */
export type BuiltinModule = 'core' | 'convert' | 'level' | 'detect'

/** Every built-in module, the core first: it is instantiated before the others (PK-24). */
export const BUILTIN_MODULES: readonly BuiltinModule[] = ['core', 'convert', 'level', 'detect']

const loadCore = (): Promise<typeof import('./builtin-core.js')> => loadPart('core module', () => import('./builtin-core.js'))
const loadOthers = (): Promise<typeof import('./builtin-assembly.js')> => loadPart('modules', () => import('./builtin-assembly.js'))

/** Loads the inlined texts, so that they come beside the engine and not after it. Who needs them hears of a failure. */
export function loadTexts(): void {
  for (const load of [loadCore, loadOthers]) load().catch(() => undefined)
}

/** A fresh copy of the bytes of module `name`; the caller owns it and may patch it (PK-28). About 1 ms for the core. Throws `NETWORK`. */
export async function builtinModuleBytes(name: BuiltinModule): Promise<Uint8Array<ArrayBuffer>> {
  if (name === 'core') return inflateText((await loadCore()).core)
  const { deflated, spans } = await loadOthers()
  return (await inflateText(deflated)).slice(...spans[name]!)
}
