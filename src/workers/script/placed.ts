import { ArenaAudio } from '../../memory/audio-buffer.js'
import type { ScriptPacket } from './protocol.js'

/** Data of a packet on its way: audio, also that of a list, becomes what `place` says of it; the rest is cloned when posted. */
export function placed<A>(data: unknown, place: (audio: ArenaAudio) => A): Pick<ScriptPacket<A>, 'data' | 'audio' | 'list'> {
  if (data instanceof ArenaAudio) return { data: null, audio: place(data) }
  if (!Array.isArray(data) || !data.some((item) => item instanceof ArenaAudio)) return { data }
  return {
    data: data.map((item: unknown) => item instanceof ArenaAudio ? null : item),
    list: data.map((item: unknown) => item instanceof ArenaAudio ? place(item) : null),
  }
}

/** The other way: data with audio in its places. */
export function unplaced<A>({ data, audio, list }: Pick<ScriptPacket<A>, 'data' | 'audio' | 'list'>, open: (place: A) => unknown): unknown {
  if (list !== undefined) return (data as readonly unknown[]).map((item, n) => list[n] ? open(list[n]) : item)
  return audio === undefined ? data : open(audio)
}
