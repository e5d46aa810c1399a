/** A compiled module by the name that kernel declarations use. */
export interface CompiledModule {
  readonly name: string
  readonly module: WebAssembly.Module
  /** SHA-256 of the bytes that were given; undefined for a module that ships with the package. */
  readonly digest?: Uint8Array
}

/**
 * Everything that a thread instantiates: plain data, posted to workers and worklets as it is. `shared`:
 * for shared memory, else for private memory.
 */
export interface CompiledModules { readonly shared: boolean; readonly modules: readonly CompiledModule[] }
