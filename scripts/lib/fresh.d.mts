export function distIsCurrent(): boolean
