import type { Arena } from '../arena.js'
import type { Block } from '../block.js'

/**
 * What a ring and its two ends have in common: it is collected when all three are, and then the ring is warned of and freed, unless it was
 * disposed of (MW-16). A ring whose address or bytes were given out is only warned of: another thread may have an end of it.
 */
export class RingLife {
  readonly #given = { out: false }
  readonly #arena: Arena

  /** `what`: the ring, for the warning. */
  constructor(arena: Arena, block: Block, what: string) {
    const given = this.#given
    this.#arena = arena
    arena.leaks?.watch(this, {
      get closed() { return block.closed }, get shown() { return given.out ? 'the address or a view of them' : false },
      [Symbol.dispose]() { block.unpin(); block.release() },
    }, `${what} was collected without dispose()`)
  }

  /** Its address or a view of its bytes is somebody's now. */
  giveOut(): void { this.#given.out = true }
  /** It was disposed of. */
  end(): void { this.#arena.leaks?.forget(this) }
}

/** An end of a ring, as its maker sees it. */
interface Kept { life: RingLife | undefined; close(): void; letGo(): void }

/** The parts of a ring that are the same for samples and messages. `what`: the ring, for a warning. */
export function ringOver<W extends Kept, R extends Kept>(
  arena: Arena, block: Block, writer: W, reader: R, what: string,
): { readonly writer: W; readonly reader: R; readonly address: number; [Symbol.dispose](): void } {
  const life = writer.life = reader.life = new RingLife(arena, block, what), { address } = block
  return {
    writer, reader, get address() { life.giveOut(); return address },
    [Symbol.dispose]() {
      if (block.closed) return
      life.end()
      writer.close()
      writer.letGo()
      reader.letGo()
      block.unpin()
      block.release()
    },
  }
}
