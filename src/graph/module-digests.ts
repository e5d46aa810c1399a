import { digests } from 'inline-wasm-digests:'

const known = /* @__PURE__ */ new Map<string, Uint8Array>()

/**
 * SHA-256 of the bytes of a kernel module that ships with the package; undefined for another one. Put in by the build,
 * so that graphs are hashed without an engine.
 */
export function shippedDigest(module: string): Uint8Array | undefined {
  const text = Object.hasOwn(digests, module) ? digests[module] : undefined
  let digest = known.get(module)
  if (digest === undefined && text !== undefined) {
    known.set(module, digest = Uint8Array.from({ length: 32 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16)))
  }
  return digest
}
