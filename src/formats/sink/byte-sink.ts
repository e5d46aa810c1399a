/** Where a file is written to. One writer uses it at a time, and writes one after the other. Owner: who opened it. */
export interface ByteSink {
  /** For messages: a path or `memory`. */
  readonly name: string
  /** True when `patch` works, so that sizes can be put into a header at the end. */
  readonly seekable: boolean
  /** Appends; the bytes may be used again when the promise resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** Overwrites bytes that were written before. Seekable sinks only. */
  patch(offset: number, bytes: Uint8Array): Promise<void>
  /** Everything written is kept. */
  close(): Promise<void>
  /** What was written is thrown away as far as the sink can. */
  abort(reason?: unknown): Promise<void>
}
