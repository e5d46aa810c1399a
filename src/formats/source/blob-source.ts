import type { ByteSource } from './byte-source.js'

/** What the reader needs of a Blob or File; structural, because Node, browsers and polyfills each have their own class. */
export interface BlobLike {
  readonly size: number
  readonly name?: string
  slice(start?: number, end?: number): BlobLike
  arrayBuffer(): Promise<ArrayBuffer>
}

/** True for a Blob or File of any realm. */
export function isBlobLike(value: unknown): value is BlobLike {
  const blob = value as Partial<BlobLike> | null
  return typeof blob === 'object' && blob !== null && typeof blob.size === 'number' && typeof blob.slice === 'function'
    && typeof blob.arrayBuffer === 'function'
}

/** Source over a Blob or File: each read takes just its own range into memory. */
export function blobSource(blob: BlobLike): ByteSource {
  return {
    name: blob.name ?? 'blob', size: blob.size, seekable: true, view: () => null,
    read: async (offset, target) => {
      if (offset >= blob.size || target.length === 0) return 0
      const piece = new Uint8Array(await blob.slice(offset, Math.min(offset + target.length, blob.size)).arrayBuffer())
      target.set(piece)
      return piece.length
    },
    close: () => Promise.resolve(),
  }
}
