declare namespace __AdaptedExports {
  /**
   * kernels/convert/convert_size
   * @param init `usize`
   * @returns `i32`
   */
  export function convert_size(init: number): number;
  /**
   * kernels/convert/convert_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function convert_init(state: number, init: number): number;
  /**
   * kernels/convert/convert_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function convert_reset(state: number): number;
  /**
   * kernels/convert/convert_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function convert_process(state: number, io: number): number;
  /**
   * sdk/module/millrace_abi
   * @returns `u32`
   */
  export function millrace_abi(): number;
  /**
   * sdk/module/millrace_layout
   * @returns `u32`
   */
  export function millrace_layout(): number;
}
/** Instantiates the compiled WebAssembly module with the given imports. */
export declare function instantiate(module: WebAssembly.Module, imports: {
}): Promise<typeof __AdaptedExports>;
