/* tslint:disable */
/* eslint-disable */
export const abi_version: () => number;
export const alloc_count: () => number;
export const alloc_donate: (a: number, b: number) => void;
export const alloc_used: () => number;
export const millrace_layout: () => number;
export const stack_probe: (a: number, b: number) => number;
export const resample_flush: (a: number, b: number) => number;
export const resample_init: (a: number, b: number) => number;
export const resample_process: (a: number, b: number) => number;
export const resample_reset: (a: number) => number;
export const resample_shared: (a: number, b: number) => number;
export const resample_size: (a: number) => number;
export const queue_init: (a: number, b: number) => void;
export const queue_pop: (a: number) => number;
export const queue_push: (a: number, b: number) => number;
export const queue_quiet: (a: number) => number;
export const segment_check: (a: number, b: number, c: number) => number;
export const segment_run: (a: number, b: number) => number;
export const segment_step: (a: number, b: number, c: number) => number;
export const task_finish: (a: number, b: number, c: number, d: number, e: number) => number;
export const task_push: (a: number, b: number, c: number) => number;
export const task_take: (a: number, b: number, c: number) => number;
export const millrace_abi: () => number;
export const __wbindgen_thread_destroy: (a?: number, b?: number, c?: number) => void;
export const __wbindgen_start: (a: number) => void;
