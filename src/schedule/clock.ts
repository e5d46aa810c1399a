/** Time as `src/schedule` sees it: passed in, so that tests own it (spec execution.md, first paragraph). */
export interface Clock {
  /** Monotonic µs. */
  nowUs(): number
  /** Milliseconds since 1970, UTC. */
  nowMs(): number
  /** Smallest step that `nowUs` was seen to make, µs. */
  readonly resolutionUs: number
  /** Settles after `ms`; `signal` settles it at once. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets the event loop turn once. */
  yield(): Promise<void>
}
