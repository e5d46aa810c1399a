export const name: string
export function check(files?: readonly string[]): string[]
