/** Packages that benches compare with and that bring no types: the part that the benches call. */

declare module '@echogarden/fvad-wasm' {
  const create: () => Promise<unknown>
  export default create
}

declare module '@echogarden/speex-resampler-wasm/simd' {
  const create: () => Promise<unknown>
  export default create
}

declare module 'pcm-convert' {
  /** Samples in another format, such as `'int16'` to `'float32'`. */
  const convert: (samples: ArrayBufferView, from: string, to: string) => ArrayBufferView
  export default convert
}

declare module 'toposort' {
  const sorted: { array(nodes: readonly string[], edges: readonly (readonly [string, string])[]): string[] }
  export default sorted
}
