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
   * kernels/level/channels/channels_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function channels_init(state: number, init: number): number;
  /**
   * kernels/level/channels/channels_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function channels_process(state: number, io: number): number;
  /**
   * kernels/level/channels/channels_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function channels_reset(state: number): number;
  /**
   * kernels/level/channels/channels_size
   * @param init `usize`
   * @returns `i32`
   */
  export function channels_size(init: number): number;
  /**
   * kernels/level/gain/gain_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function gain_init(state: number, init: number): number;
  /**
   * kernels/level/gain/gain_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function gain_process(state: number, io: number): number;
  /**
   * kernels/level/gain/gain_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function gain_reset(state: number): number;
  /**
   * kernels/level/gain/gain_size
   * @param init `usize`
   * @returns `i32`
   */
  export function gain_size(init: number): number;
  /**
   * kernels/level/merge/merge_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function merge_init(state: number, init: number): number;
  /**
   * kernels/level/merge/merge_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function merge_process(state: number, io: number): number;
  /**
   * kernels/level/merge/merge_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function merge_reset(state: number): number;
  /**
   * kernels/level/merge/merge_size
   * @param init `usize`
   * @returns `i32`
   */
  export function merge_size(init: number): number;
  /**
   * kernels/level/mix/mix_init
   * @param state `usize`
   * @param init `usize`
   * @returns `i32`
   */
  export function mix_init(state: number, init: number): number;
  /**
   * kernels/level/mix/mix_process
   * @param state `usize`
   * @param io `usize`
   * @returns `i32`
   */
  export function mix_process(state: number, io: number): number;
  /**
   * kernels/level/mix/mix_reset
   * @param state `usize`
   * @returns `i32`
   */
  export function mix_reset(state: number): number;
  /**
   * kernels/level/mix/mix_size
   * @param init `usize`
   * @returns `i32`
   */
  export function mix_size(init: number): number;
}
/** Instantiates the compiled WebAssembly module with the given imports. */
export declare function instantiate(module: WebAssembly.Module, imports: {
}): Promise<typeof __AdaptedExports>;
