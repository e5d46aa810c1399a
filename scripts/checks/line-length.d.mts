export const name: string
export function check(files?: readonly { readonly path: string; readonly text: string }[]): string[]
