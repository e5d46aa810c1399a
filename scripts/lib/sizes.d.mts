export interface EntrySize { raw: number; gzip: number; jsRaw: number; jsGzip: number; wasmBase64Gzip: number; modules: number }
export interface Sizes {
  entries: Record<'index' | 'nodes' | 'graph' | 'testing', EntrySize & { first: EntrySize; parts: Record<string, EntrySize> }>
    & Record<'global' | 'worker' | 'worklet', EntrySize>
  wasm: Record<string, { raw: number; gzip: number }>
  nodes: { count: number; gzipEach: number }
  total: { modulesRaw: number }
}
export type Budget = 'firstGzip' | 'entryGzip' | 'wasmBase64Gzip' | 'nodeGzip' | 'globalGzip' | 'coreRaw' | 'assemblyRaw' | 'modulesRaw'
export const BUDGET: Record<Budget, number>
export const ACCEPTED: Partial<Record<Budget, number>>
export function budgetTable(sizes: Sizes): Record<Budget, number>
export function measure(): Promise<Sizes>
