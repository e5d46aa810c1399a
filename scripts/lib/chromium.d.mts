export function chromiumPath(): Promise<string | undefined>
export function chromiumArgs(): string[]
export const ISOLATION_HEADERS: Record<string, string>
