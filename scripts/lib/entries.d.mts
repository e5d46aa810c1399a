export function nodeEntries(): Record<string, string>
export const TYPED_ENTRIES: Record<string, string>
