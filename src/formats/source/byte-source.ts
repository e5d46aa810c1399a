/**
 * Bytes of a file, wherever it stands. One reader uses it at a time, and reads one after the other.
 * Owner: who opened it; `close()` gives handles and connections back.
 */
export interface ByteSource {
  /** For messages: a path, an address, or `memory`. */
  readonly name: string
  /** Total bytes; null while unknown (a stream). */
  readonly size: number | null
  /**
   * What the owner says that tells these bytes from others (etag, date and size); null: nothing. Absent
   * where it is known otherwise (files, memory).
   */
  readonly mark?: string | null
  /** False: offsets may only grow from call to call. */
  readonly seekable: boolean
  /** Fills `target` from byte `offset`; resolves to the bytes written, fewer than asked for only at the end of the source. */
  read(offset: number, target: Uint8Array): Promise<number>
  /** The bytes themselves when they stand in memory, cut at the end of the source; else null. No copy. */
  view(offset: number, bytes: number): Uint8Array | null
  close(): Promise<void>
}
