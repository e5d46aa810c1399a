import { nodeFs, nodeHash, type ExactStat, type NodeFs } from '../node-fs.js'

/**
 * What stands for a file's content: the SHA-256 of its bytes, or, for large files, facts that change with them; null: it was written
 * just now, and nothing tells what comes next.
 */
export type FileMark = { readonly digest: Uint8Array } | { readonly facts: Uint8Array | null }

/** Bytes read at a time. */
const PIECE_BYTES = 262_144
/** Digests that are kept. */
const MOST_KEPT = 4_096
/**
 * A file's times are ticks of this length, ns, at most: two writes in one tick leave the same times. Where they are
 * whole seconds (FAT), ticks are two seconds.
 */
const TICK_NS = 50_000_000n, COARSE_TICK_NS = 2_000_000_000n, SECOND_NS = 1_000_000_000n

/** Marks of local files. Digests are kept by what the file system says of a file: what has not changed since is not read again. */
export class FileMarks {
  readonly #kept = new Map<string, Uint8Array>()
  readonly #mostBytes: number
  readonly #nowMs: () => number

  /** `mostBytes`: files up to this size are told by their bytes. `nowMs`: time since 1970, as files have it. */
  constructor(mostBytes: number, nowMs: () => number) {
    this.#mostBytes = mostBytes
    this.#nowMs = nowMs
  }

  /**
   * The mark of a path or `file:` address; undefined for any other address, for what is no regular file and for what cannot be read:
   * whoever opens it will say so. Reads in pieces.
   */
  async of(file: string | URL, signal: AbortSignal): Promise<FileMark | undefined> {
    const fs = nodeFs()
    try {
      const path = localPath(file)
      return fs === null || path === undefined ? undefined : await this.#mark(fs, path, signal)
    } catch (error) {
      // The system refused it, or it is no address.
      if (!signal.aborted && typeof (error as { readonly code?: unknown }).code === 'string') return undefined
      throw error
    }
  }

  async #mark(fs: NodeFs, path: string | URL, signal: AbortSignal): Promise<FileMark | undefined> {
    const stat = await fs.promises.stat(path, { bigint: true })
    if (!stat.isFile()) return undefined
    const facts = factsOf(stat), settled = this.#isSettled(stat)
    if (Number(stat.size) > this.#mostBytes) return { facts: settled ? new TextEncoder().encode(facts) : null }
    const known = settled ? this.#kept.get(facts) : undefined
    if (known !== undefined) return { digest: known }
    const hash = nodeHash()
    const piece = new Uint8Array(Math.max(1, Math.min(PIECE_BYTES, Number(stat.size))))
    const handle = await fs.promises.open(path, 'r')
    try {
      for (let at = 0; ;) {
        signal.throwIfAborted()
        const { bytesRead } = await handle.read(piece, 0, piece.length, at)
        if (bytesRead === 0) break
        hash.update(piece.subarray(0, bytesRead))
        at += bytesRead
      }
    } finally { await handle.close() }
    const digest = hash.digest(), after = await fs.promises.stat(path, { bigint: true })
    if (settled && factsOf(after) === facts) {
      if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!)
      this.#kept.set(facts, digest)
    }
    return { digest }
  }

  /** Whether another write would leave another time: its last change is more than a tick ago. */
  #isSettled({ ctimeNs }: ExactStat): boolean {
    return BigInt(Math.floor(this.#nowMs() * 1_000)) * 1_000n - ctimeNs > (ctimeNs % SECOND_NS === 0n ? COARSE_TICK_NS : TICK_NS)
  }
}

/** Size, place and times. The time of the last change of any kind cannot be set back, that of the last write can. */
function factsOf({ dev, ino, size, mtimeNs, ctimeNs }: ExactStat): string { return [dev, ino, size, mtimeNs, ctimeNs].join(' ') }

/** Two letters at least make a scheme: `C:\talk.wav` is a path. */
function localPath(file: string | URL): string | URL | undefined {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(String(file))?.[1]?.toLowerCase()
  return scheme === undefined ? file : scheme === 'file' ? new URL(file) : undefined
}
