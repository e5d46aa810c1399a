declare namespace __AdaptedExports {
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
  /**
   * kernels/detect/vad/vad_flush
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function vad_flush(state: number, io: number): number;
  /**
   * kernels/detect/vad/vad_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function vad_init(state: number, init: number): number;
  /**
   * kernels/detect/vad/vad_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function vad_process(state: number, io: number): number;
  /**
   * kernels/detect/vad/vad_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function vad_reset(state: number): number;
  /**
   * kernels/detect/vad/vad_size
   * @param init `usize`
   * @returns `i32`
   */
  export function vad_size(init: number): number;
}
/** Instantiates the compiled WebAssembly module with the given imports. */
export declare function instantiate(module: WebAssembly.Module, imports: {
}): Promise<typeof __AdaptedExports>;
