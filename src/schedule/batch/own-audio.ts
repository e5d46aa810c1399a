import { ArenaAudio } from '../../memory/audio-buffer.js'
import type { AudioBuffer } from '../../media/audio-buffer.js'

/**
 * Audio that a node's code got from `ctx.allocAudio` in one call of it, and has not given out: taken back when that call has failed
 * (MW-13). Held weakly: what is lost in a call that goes on is found as ever (MW-16).
 */
export class OwnAudio {
  #held: WeakRef<AudioBuffer>[] = []
  readonly #given = new WeakSet<object>()
  /** Entries from which on those that are done are sorted out. */
  #most = 64
  #closed = false

  add(audio: AudioBuffer): AudioBuffer {
    if (this.#closed) audio.close()
    else if (this.#held.push(new WeakRef(audio)) > this.#most) {
      this.#held = this.#held.filter((ref) => this.#own(ref) !== undefined)
      this.#most = Math.max(64, 2 * this.#held.length)
    }
    return audio
  }

  /** Data of a packet, or a list of them, is somebody else's from now on. */
  give(data: unknown): void {
    for (const one of Array.isArray(data) ? data as readonly unknown[] : [data]) if (one instanceof ArenaAudio) this.#given.add(one)
  }

  /** The code has ended and failed: what parts of it that go on ask for is closed. */
  close(): void {
    this.#closed = true
    for (const ref of this.#held.splice(0)) this.#own(ref)?.close()
  }

  #own(ref: WeakRef<AudioBuffer>): AudioBuffer | undefined {
    const audio = ref.deref()
    return audio === undefined || this.#given.has(audio) || (audio instanceof ArenaAudio && audio.closed) ? undefined : audio
  }
}
