export function loadDefinitions(): Promise<{ readonly nodes: readonly { readonly name: string; readonly definition: unknown }[] }>
export function fileName(type: string): string
export function schemaFiles(): Promise<Record<string, string>>
export function sourceOf(index: string, name: string): string
