export function distIsCurrent(): boolean
export function ensureBuild(): void
