/** Long values are copied by turns, the same bytes for the same charge, and what is not wanted any more is given up on the way (MW-58). */
import { describe, expect, test } from 'vitest'
import { createArena, type Arena } from '../../src/memory/arena.js'
import { createAudioApi } from '../../src/memory/audio-api.js'
import { TURN_BYTES } from '../../src/memory/copies.js'
import type { ArenaAudio } from '../../src/memory/audio-buffer.js'
import { packetOf } from '../../src/schedule/packet-data.js'
import { BufferPool } from '../../src/workers/buffer-pool.js'
import { packByTurns, packPacket, unpackByTurns, unpackPacket } from '../../src/workers/wire-packet.js'

const FRAMES = TURN_BYTES / 4 + 12_345
const arenaOf = (): Arena => createArena({ bytes: 2 ** 26, shared: false, wasm: true })

/** Two channels of a longer buffer, planar, so that rows stand apart; or interleaved. */
function packet(arena: Arena, layout: 'planar' | 'interleaved'): ReturnType<typeof packetOf> {
  const whole = createAudioApi(arena).alloc({ rate: 8_000, channels: 2, frames: FRAMES + 100, layout })
  const all = new Float32Array(arena.buffer, whole.address, 2 * (FRAMES + 100))
  for (let n = 0; n < all.length; n++) all[n] = n
  const part = whole.slice(50, 50 + FRAMES)
  whole.close()
  return packetOf({ kind: 'audio', rate: 8_000, channels: 2, format: 'f32', layout }, part, 50, FRAMES, {})
}
const bytesOf = (arena: Arena, { data }: { readonly data: unknown }): Uint8Array => {
  const audio = data as ArenaAudio
  return arena.u8.slice(audio.address, audio.address + audio.samples * 4)
}

describe.each(['planar', 'interleaved'] as const)('%s', (layout) => {
  test('gives what one copy gives', async () => {
    const a = arenaOf(), b = arenaOf(), pool = new BufferPool()
    let turns = 0
    const turn = (): Promise<void> => { turns++; return Promise.resolve() }
    const once = packPacket(packet(a, layout), 'x.out', pool), before = a.copies.entries(), charged = a.copies.bytes()
    const long = await packByTurns(a, packet(a, layout), 'x.out', pool, turn)
    expect([turns, a.copies.bytes() - charged, a.copies.entries()[0]!.copies]).toEqual([2, charged, before[0]!.copies + 1])
    expect({ ...long.wire, audio: { ...long.wire.audio, bytes: null } })
      .toEqual({ ...once.wire, audio: { ...once.wire.audio, bytes: null } })
    expect(sameWords(long.wire.audio!.bytes, once.wire.audio!.bytes)).toBe(true)
    const here = unpackPacket(b, [once.wire], 'job'), one = b.copies.entries(), there = await unpackByTurns(b, long.wire, 'job', turn)
    expect([turns, sameWords(bytesOf(b, there).buffer, bytesOf(b, here).buffer)]).toEqual([4, true])
    expect({ ...there, data: null }).toEqual({ ...here, data: null })
    expect(b.copies.entries()).toEqual(one.map((entry) => ({ ...entry, bytes: 2 * entry.bytes, copies: 2 })))
  })

  test('gives up, and keeps nothing', async () => {
    const a = arenaOf(), b = arenaOf(), pool = new BufferPool(), enough = new Error('enough')
    const stop = (): Promise<void> => Promise.reject(enough)
    const { wire } = packPacket(packet(a, layout), 'x.out', pool), used = a.stats().usedBytes, given = packet(a, layout)
    await expect(packByTurns(a, given, 'x.out', pool, stop)).rejects.toBe(enough)
    expect([a.stats().usedBytes, (given.data as ArenaAudio).closed]).toEqual([used, true])
    const empty = b.stats().usedBytes
    await expect(unpackByTurns(b, wire, 'job', stop)).rejects.toBe(enough)
    expect([b.stats().usedBytes, b.copies.bytes()]).toEqual([empty, 0])
  })
})

/** Compared here: a failure of `toEqual` would print millions of numbers. */
function sameWords(a: ArrayBufferLike, b: ArrayBufferLike): boolean {
  const x = new Int32Array(a), y = new Int32Array(b)
  return x.length === y.length && x.every((word, n) => word === y[n])
}
