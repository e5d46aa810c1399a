import { commonErrors } from '../errors/common-errors.js'

/**
 * Ranges of the optional packages that the library and its nodes can use: those of `peerDependencies`
 * in package.json, all of them optional there.
 */
export const PEER_RANGES: Readonly<Record<string, string>> = {
  ws: '^8.0.0',
  redis: '^6.0.0',
  '@nats-io/transport-node': '^3.0.0',
  '@nats-io/jetstream': '^3.0.0',
  mediabunny: '^1.0.0',
  'onnxruntime-web': '^1.20.0',
  'onnxruntime-node': '^1.20.0',
  yjs: '^13.6.0',
  'y-protocols': '^1.0.0',
  'quickjs-emscripten': '^0.32.0',
  'better-sqlite3': '^13.0.0',
}

/** Codes of hosts that cannot find a package: Node's import and require. */
const ABSENT = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'])

/** How a module is fetched; tests and hosts with a loader of their own give another. */
export type ImportModule = (name: string) => Promise<unknown>

/**
 * Loads an optional package, the only way in which this library, and nodes written for it, do so. `feature` says what needs it. Bundlers
 * leave the import alone, since its name is a variable: a page gives the package's address by an import map, or hands `load` its own
 * import. `range` is the version to install; packages of {@link PEER_RANGES} need none.
 * Throws `PEER_MISSING` with the line that installs it when it is not there; what the package itself throws at import is passed on.
 * @example
 * const ort = await loadPeer<typeof import('onnxruntime-web')>('Voice detector', 'onnxruntime-web')
 */
export async function loadPeer<T>(
  feature: string, name: string,
  o: { readonly range?: string; readonly load?: ImportModule } = {},
): Promise<T> {
  const { range = PEER_RANGES[name] ?? 'latest', load = importByName } = o
  try {
    return await load(name) as T
  } catch (cause) {
    if (!isAbsent(cause, name)) throw cause
    throw commonErrors.PEER_MISSING({ feature, name, range }, { cause })
  }
}

function importByName(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Promise<unknown>
}

/** The package itself is missing, not one that it imports. Browsers have no code for it: a bare name is a TypeError there. */
function isAbsent(error: unknown, name: string): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  if (typeof message !== 'string' || !message.includes(name)) return false
  return typeof code === 'string' ? ABSENT.has(code) : error instanceof TypeError
}
