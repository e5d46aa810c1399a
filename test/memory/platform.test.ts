import { describe, expect, test } from 'vitest'
import { CopyLedger } from '../../src/memory/copies.js'
import { probePlatform } from '../../src/memory/platform/platform-probe.js'
import * as to from '../../src/memory/platform/to-platform.js'
import { TEXT_SLICE_BYTES, textOfBytes } from '../../src/memory/platform/text.js'

const hasShared = typeof SharedArrayBuffer !== 'undefined', inNode = typeof process === 'object'
const room = (bytes: number): ArrayBuffer => (hasShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)) as ArrayBuffer
const shared = (
  bytes: ArrayLike<number>,
): Uint8Array<ArrayBuffer> => { const view = new Uint8Array(room(bytes.length + 3), 3); view.set(bytes); return view }
const bytes = Uint8Array.from({ length: 300 }, (_, i) => i * 7)
/** Copies that a call made, and of how many bytes. */
async function cost<T>(
  call: (charge: to.PlatformCharge) => T | Promise<T>,
): Promise<{ value: T; copies: number; bytes: number; platform: boolean }> {
  const ledger = new CopyLedger(), value = await call({ ledger })
  return { value, copies: ledger.count, bytes: ledger.bytes(), platform: ledger.bytes() === ledger.bytes({ reason: 'platform' }) }
}

describe('which interfaces take shared memory (MW-79): the table of section 10, per host', () => {
  const NODE = {
    'crypto.subtle': false, 'ReadableStream.byob': false, TextDecoder: true, 'TextEncoder.encodeInto': true, 'crypto.getRandomValues': true,
    Blob: true, 'WebSocket.send': false, CompressionStream: true,
    FileSystemWritableFileStream: false, Response: false, ImageData: false, 'AudioBuffer.copyToChannel': false,
    'AudioBuffer.copyFromChannel': false, AnalyserNode: false, AudioData: false, 'WebAssembly.compile': true,
  }
  const CHROMIUM = {
    ...Object.fromEntries(Object.keys(NODE).map((row) => [row, false])), Response: true, AudioData: true, 'WebAssembly.compile': true,
  }
  test.skipIf(!hasShared)('as measured', async () => {
    expect(await probePlatform()).toEqual(inNode ? NODE : CHROMIUM)
  })
  test.skipIf(hasShared)('nothing to ask without shared memory', async () => {
    expect(Object.values(await probePlatform())).not.toContain(true)
  })
})

describe('one copy at most, counted as platform', () => {
  const within = ({ copies, bytes: count, platform }: { copies: number; bytes: number; platform: boolean }, most = 300): void => {
    expect([copies <= 1, count === 0 || count === most, platform]).toEqual([true, true, true])
  }
  test.skipIf(typeof crypto === 'undefined' || crypto.subtle === undefined)('digest', async () => {
    const made = await cost((charge) => to.digest('SHA-256', shared(bytes), charge))
    within(made)
    expect(made.copies).toBe(hasShared ? 1 : 0)
    expect(new Uint8Array(made.value)).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
    expect((await cost((charge) => to.digest('SHA-256', bytes, charge))).copies).toBe(0)
  })
  test('byob reads', async () => {
    const stream = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes.slice()); c.close() } })
    const target = shared(new Uint8Array(400)), reader = stream.getReader({ mode: 'byob' })
    const made = await cost((charge) => to.readInto(reader, target, charge))
    within(made)
    expect([made.value, target.slice(0, 300), await to.readInto(reader, target, { ledger: new CopyLedger() })]).toEqual([300, bytes, 0])
  })
  test('text both ways', async () => {
    const text = 'größer 🎵', utf8 = new TextEncoder().encode(text), target = shared(new Uint8Array(40))
    const decoded = await cost((charge) => to.decodeText(shared(utf8), charge))
    const encoded = await cost((charge) => to.encodeText(text, target, charge))
    within(decoded, utf8.length)
    within(encoded, 40)
    expect([decoded.value, encoded.value.written, target.slice(0, utf8.length)]).toEqual([text, utf8.length, utf8])
  })
  test('random values, more than the platform gives at once', async () => {
    const target = shared(new Uint8Array(200_000)), made = await cost((charge) => { to.randomValues(target, charge) })
    within(made, 200_000)
    expect(new Set(target.subarray(-1_000)).size).toBeGreaterThan(100)
  })
  test('Blob, Response, compression, compile, transfer', async () => {
    const blob = await cost((charge) => to.blobOf([shared(bytes)], charge))
    const response = await cost((charge) => to.responseOf(shared(bytes), charge))
    within(blob)
    within(response)
    expect(new Uint8Array(await blob.value.arrayBuffer())).toEqual(bytes)
    expect(new Uint8Array(await response.value.arrayBuffer())).toEqual(bytes)
    const { readable, writable } = new CompressionStream('gzip')
    const writer = writable.getWriter()
    const read = new Response(readable.pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
    within(await cost((charge) => to.writeTo(writer, shared(bytes), charge)))
    await writer.close()
    expect(new Uint8Array(await read)).toEqual(bytes)
    const module = await cost((charge) => to.compileBytes(shared([0, 97, 115, 109, 1, 0, 0, 0]), charge))
    within(module, 8)
    expect(module.value).toBeInstanceOf(WebAssembly.Module)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 }), view = new Uint8Array(memory.buffer, 100, 300)
    view.set(bytes)
    // A memory that is not shared may not be transferred either, so this always copies.
    const { port1, port2 } = new MessageChannel()
    const arrived = new Promise<ArrayBuffer>((done) => { port2.onmessage = ({ data }) => { done(data as ArrayBuffer) } })
    const ours = to.ownBuffer(hasShared ? shared(bytes) : view.slice(), { ledger: new CopyLedger() })
    port1.postMessage(ours, [ours])
    expect(new Uint8Array(await arrived)).toEqual(bytes)
    expect([ours.byteLength, view.length]).toEqual([0, 300])
    port1.close()
    port2.close()
  })
  test('socket and file', async () => {
    const sent: Uint8Array[] = []
    within(await cost((charge) => { to.sendOn({ send: (chunk) => { sent.push(chunk) } }, shared(bytes), charge) }))
    within(await cost((charge) => to.writeTo(
      { write: (chunk) => { sent.push(chunk); return Promise.resolve() } },
      shared(bytes), charge, 'FileSystemWritableFileStream',
    )))
    expect(sent).toEqual([bytes, bytes])
    expect(sent.map((chunk) => hasShared && chunk.buffer instanceof SharedArrayBuffer)).toEqual([false, false])
  })
  test.skipIf(inNode)('Web Audio and pictures', async () => {
    const samples = new Float32Array(room(40), 8, 8).fill(0.25)
    const buffer = new AudioBuffer({ length: 8, sampleRate: 8_000 })
    const back = new Float32Array(room(40), 8, 8)
    within(await cost((charge) => { to.copyToChannel(buffer, samples, 0, charge) }), 32)
    within(await cost((charge) => { to.copyFromChannel(buffer, back, 0, charge) }), 32)
    expect([...back]).toEqual([...samples])
    const context = new OfflineAudioContext(1, 64, 8_000), analyser = context.createAnalyser()
    within(await cost((charge) => { to.analyse(analyser, back, charge) }), 32)
    expect([...back]).toEqual([...new Float32Array(8)])
    const image = await cost((charge) => to.imageOf(new Uint8ClampedArray(room(16), 0, 16).fill(9), 2, 2, charge))
    within(image, 16)
    expect([image.value.width, image.value.data[15]]).toEqual([2, 9])
    const data = await cost((charge) =>
      to.audioDataOf({ format: 'f32-planar', sampleRate: 8_000, numberOfChannels: 1, numberOfFrames: 8, timestamp: 0 }, samples, charge))
    expect([data.copies, data.value.numberOfFrames]).toEqual([0, 8])
    data.value.close()
  })
})

describe('text from shared memory (MW-80)', () => {
  test.each([0, 1, 2, 3])('slices of 64 KiB are cut between characters, shifted by %d', (shift) => {
    for (const character of ['é', '€', '🎵', '\ufeff']) {
      const text = 'a'.repeat(shift) + character.repeat(40_000), utf8 = new TextEncoder().encode(text)
      expect(utf8.length).toBeGreaterThan(TEXT_SLICE_BYTES)
      expect(textOfBytes(shared(utf8)) === text).toBe(true)
    }
  })
  test('a part, short and long, with a byte order mark kept', () => {
    for (const text of ['', 'short', 'größer', '\ufeffmarked', 'x'.repeat(1_000), '\ufeff'.repeat(30)]) {
      const utf8 = new TextEncoder().encode(text), inside = shared([255, ...utf8, 255])
      expect(textOfBytes(inside, 1, utf8.length)).toBe(text)
    }
  })
  test('bytes that are no text are null', () => {
    for (const wrong of [
      [0xff], [0xc3], [0xed, 0xa0, 0x80], [...Array<number>(100).fill(65), 0xc0, 0x80],
      [...Array<number>(TEXT_SLICE_BYTES - 1).fill(65), 0xe2, 0x82],
    ]) expect(textOfBytes(shared(wrong))).toBeNull()
  })
})
