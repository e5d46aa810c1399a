import type { Plugin } from 'esbuild'

export function withConstants(path: string, text?: string): Promise<string>
export function constants(): Plugin
