import type { SourceFile } from '../lib/sources.mjs'

export const name: string
export function check(files?: readonly SourceFile[]): string[]
