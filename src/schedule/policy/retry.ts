/** How often and after which waits failed code is called again (EX-42). */
export interface RetryPolicy {
  readonly retries: number
  /** Wait before the nth retry, ms, n from 1; `random`: 0…1. */
  delayMs(n: number, random: () => number): number
}

/** Reads `{ kind, … }` of a document; undefined for none. Default of `exponential`: 3 retries after 100, 200, 400 ms. */
export function readRetry(value: unknown): RetryPolicy | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const {
    kind, retries = 3, delayMs = 100, baseMs = 100, factor = 2, maxMs = 30_000, jitter = 'none',
  } = value as Readonly<Record<string, number | string>> & Record<'retries' | 'delayMs' | 'baseMs' | 'factor' | 'maxMs', number>
  if (kind === 'fixed') return { retries, delayMs: () => delayMs }
  if (kind !== 'exponential') return undefined
  return { retries, delayMs: (n, random) => Math.min(maxMs, baseMs * factor ** (n - 1)) * (jitter === 'full' ? random() : 1) }
}
