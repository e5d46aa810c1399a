import type ts from 'typescript'

export interface SourceFile { readonly path: string; readonly text: string; readonly tree: ts.SourceFile }
export function sources(): SourceFile[]
export function parse(path: string, text?: string): SourceFile
