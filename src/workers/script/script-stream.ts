import type { Media } from '../../media/media-type.js'
import type { Packet, PacketStream } from '../../media/packet.js'
import { ArenaAudio } from '../../memory/audio-buffer.js'

/** An input as the node's code sees it: each packet is asked for, and given back when the next one is. */
export class ScriptStream implements PacketStream {
  readonly media: Media
  readonly #take: (whole: boolean) => Promise<Packet | undefined>
  readonly #quit: () => void
  #held: Packet | undefined

  constructor(media: Media, take: (whole: boolean) => Promise<Packet | undefined>, quit: () => void) {
    this.media = media
    this.#take = take
    this.#quit = quit
  }

  async next(): Promise<Packet | undefined> {
    this.#release()
    return this.#held = await this.#take(false)
  }

  async whole(): Promise<Packet> {
    this.#release()
    return this.#held = (await this.#take(true))!
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Packet, void, undefined> {
    try {
      for (let packet = await this.next(); packet; packet = await this.next()) yield packet
    } finally {
      this.#release()
      this.#quit()
    }
  }

  #release(): void {
    if (this.#held?.data instanceof ArenaAudio) this.#held.data.close()
    this.#held = undefined
  }
}
