/** Most times that work is delivered again after it lost its worker (MW-47, EX-48). */
export const MOST_REDELIVERIES = 3
/** Wait before a re-delivery, ms: the first one, and the most; each is twice the one before. */
const FIRST_DELAY_MS = 100, MOST_DELAY_MS = 5_000

/** Wait before the next delivery after `deliveries` ≥ 1 of them were lost, ms. */
export function redeliveryDelayMs(deliveries: number): number { return Math.min(FIRST_DELAY_MS * 2 ** (deliveries - 1), MOST_DELAY_MS) }
