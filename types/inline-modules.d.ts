/** Modules that exist only through `scripts/inline.mjs`: assets that the build turns into JavaScript. */

declare module '*.wasm' {
  /** The module's bytes, base64: decode with `decodeBase64` when they are needed. */
  export const base64: string
  /** The module's bytes, decoded at import. */
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}

declare module 'inline-worker:*' {
  /** The bundled entry as the source text of a classic script. */
  const code: string
  export default code
}

/** Version of the package, put in by the build. */
declare const MILLRACE_VERSION: string
