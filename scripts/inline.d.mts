import type { Plugin as EsbuildPlugin } from 'esbuild'
import type { Plugin as VitePlugin } from 'vite'

export function wasmText(path: string): Promise<string>
export function wasmModule(path: string): Promise<string>
export function wasmSet(folder: string): Promise<{ text: string; spans: Record<string, [number, number]>; paths: string[] }>
export function digestModule(): Promise<{ code: string; paths: string[] }>
export function bundleWorker(path: string, options?: { minify?: boolean }): Promise<{ code: string; inputs: string[] }>
export function inlineEsbuild(): EsbuildPlugin
export function oneFunction(): EsbuildPlugin
export function inlineVite(): VitePlugin
