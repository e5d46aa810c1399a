import { Sha256 } from '../graph/sha256.js'

/** What the file system tells of a path. */
export interface FileStat { readonly size: number; readonly mode: number; isFile(): boolean; isDirectory(): boolean; isFIFO(): boolean }

/** The same with nanoseconds, and where the file stands. */
export interface ExactStat extends Pick<FileStat, 'isFile'> {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** An open file of Node's `fs.promises`, as far as readers and writers use it. */
export interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
  write(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<{ readonly bytesWritten: number }>
  stat(): Promise<FileStat>
  close(): Promise<void>
}

/** Part of Node's `fs` module that file access needs; declared here, so that no Node types reach the public types. */
export interface NodeFs {
  readonly promises: {
    open(path: string | URL, flags: string, mode?: number): Promise<FileHandle>
    stat(path: string | URL): Promise<FileStat>
    stat(path: string | URL, options: { readonly bigint: true }): Promise<ExactStat>
    access(path: string | URL, mode: number): Promise<void>
    realpath(path: string | URL): Promise<string>
    rename(from: string | URL, to: string | URL): Promise<void>
    unlink(path: string | URL): Promise<void>
  }
}

/** Why the system refused a path, in words, with its code. */
export function refusal(cause: unknown): string {
  const { code, message } = cause as { readonly code?: string; readonly message?: string }
  const words = code === 'ENOENT' ? 'it does not exist'
    : code === 'EACCES' || code === 'EPERM' ? 'permission denied'
    : code === 'EISDIR' ? 'it is a folder'
    : code === 'ENOTDIR' ? 'a file stands where a folder should'
    : undefined
  return words === undefined ? code ?? message ?? String(cause) : `${words} (${code})`
}

/** Node's file system without a static import (bundlers for the browser would trip over one), or null where there is none. */
export function nodeFs(): NodeFs | null { return builtin<NodeFs>('node:fs') }

/** SHA-256 as the host has it, three times as fast, else in TypeScript. */
export function nodeHash(): { update(bytes: Uint8Array): unknown; digest(): Uint8Array } {
  return builtin<{ createHash(name: string): { update(bytes: Uint8Array): unknown; digest(): Uint8Array } }>('node:crypto')
    ?.createHash('sha256') ?? new Sha256()
}

function builtin<T>(name: string): T | null {
  const process = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process
  return (process?.getBuiltinModule?.(name) as T | undefined) ?? null
}
