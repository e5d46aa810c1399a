/** Modules that exist only through `scripts/inline.mjs`: assets that the build turns into JavaScript. */

declare module '*.wasm' {
  /** The module's bytes: raw deflate, then base64. Inflate them with `inflateText` when they are needed. */
  export const deflated: string
}

declare module 'inline-wasm-set:*' {
  /** The bytes of all modules of a folder, one after the other: raw deflate, then base64. */
  export const deflated: string
  /** First byte of each module, and the one after its last. */
  export const spans: Readonly<Record<string, readonly [from: number, to: number]>>
}

declare module 'inline-wasm-digests:*' {
  /** SHA-256 of the modules that ship, in hex, by name. */
  export const digests: Readonly<Record<string, string>>
}

declare module 'inline-worker:*' {
  /** The bundled entry as the source text of a classic script. */
  const code: string
  export default code
}

/** Version of the package, put in by the build. */
declare const MILLRACE_VERSION: string
