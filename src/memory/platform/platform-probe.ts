/** A platform interface that takes or fills bytes: a row of spec memory-and-workers.md section 10. */
export type PlatformRow = keyof typeof PROBES

/** Eight bytes of shared memory, or null where there is none. */
function sharedBytes(): Uint8Array<ArrayBuffer> | null {
  // Typed as private, because what is asked is whether the platform takes it nevertheless.
  return typeof SharedArrayBuffer === 'undefined'
    ? null
    : new Uint8Array(new SharedArrayBuffer(16), 0, 8) as unknown as Uint8Array<ArrayBuffer>
}

/** An empty WebAssembly module. */
const MODULE = [0, 97, 115, 109, 1, 0, 0, 0]

/**
 * Does the interface take a view of shared memory, with the right result? Throwing is no; an interface that is not here throws too.
 * `false`: not asked, always copied, because asking would open a connection or a file.
 */
const PROBES = {
  'crypto.subtle': async (x: Uint8Array<ArrayBuffer>) => { await crypto.subtle.digest('SHA-256', x); return true },
  'ReadableStream.byob': async (x: Uint8Array<ArrayBuffer>) => (await new ReadableStream({
    type: 'bytes', pull(c) { const { byobRequest } = c; if (byobRequest?.view) { byobRequest.respond(1) } },
  }).getReader({ mode: 'byob' }).read(x)).value?.buffer === x.buffer,
  TextDecoder: (x: Uint8Array<ArrayBuffer>) => new TextDecoder().decode(x.fill(65)) === 'AAAAAAAA',
  'TextEncoder.encodeInto': (x: Uint8Array<ArrayBuffer>) => new TextEncoder().encodeInto('A', x).written === 1 && x[0] === 65,
  'crypto.getRandomValues': (x: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(x).some((byte) => byte !== 0),
  Blob: async (x: Uint8Array<ArrayBuffer>) => await new Blob([x.fill(65)]).text() === 'AAAAAAAA',
  'WebSocket.send': false,
  CompressionStream: async (x: Uint8Array<ArrayBuffer>) => {
    const { readable, writable } = new CompressionStream('gzip')
    const writer = writable.getWriter()
    const read = new Response(readable).arrayBuffer().catch(() => undefined)
    writer.closed.catch(() => undefined)
    await writer.write(x)
    await writer.close()
    return ((await read)?.byteLength ?? 0) > 18
  },
  'FileSystemWritableFileStream': false,
  Response: async (x: Uint8Array<ArrayBuffer>) => await new Response(x.fill(65)).text() === 'AAAAAAAA',
  ImageData: (x: Uint8Array<ArrayBuffer>) => new ImageData(new Uint8ClampedArray(x.buffer, 0, 4), 1, 1).width === 1,
  'AudioBuffer.copyToChannel': (x: Uint8Array<ArrayBuffer>) => {
    new AudioBuffer({ length: 2, sampleRate: 8_000 }).copyToChannel(new Float32Array(x.buffer, 0, 2), 0)
    return true
  },
  'AudioBuffer.copyFromChannel': (x: Uint8Array<ArrayBuffer>) => {
    new AudioBuffer({ length: 2, sampleRate: 8_000 }).copyFromChannel(new Float32Array(x.buffer, 0, 2), 0)
    return true
  },
  AnalyserNode: (x: Uint8Array<ArrayBuffer>) => {
    new OfflineAudioContext(1, 8, 8_000).createAnalyser().getFloatTimeDomainData(new Float32Array(x.buffer, 0, 4))
    return true
  },
  AudioData: (x: Uint8Array<ArrayBuffer>) => {
    const frames = new AudioData({ format: 'f32-planar', sampleRate: 8_000, numberOfFrames: 2, numberOfChannels: 1, timestamp: 0, data: x })
    frames.copyTo(x, { planeIndex: 0 })
    frames.close()
    return true
  },
  'WebAssembly.compile': async (x: Uint8Array<ArrayBuffer>) => {
    x.set(MODULE)
    return await WebAssembly.compile(x) instanceof WebAssembly.Module
  },
} as const satisfies Readonly<Record<string, false | ((x: Uint8Array<ArrayBuffer>) => boolean | Promise<boolean>)>>

/** Answers so far: facts of this realm, asked once. */
const answers = new Map<PlatformRow, boolean | Promise<boolean>>()

/** Does the interface take views of shared memory here? A promise the first time for some rows. False where it is missing. */
export function takesShared(row: PlatformRow): boolean | Promise<boolean> {
  const known = answers.get(row)
  if (known !== undefined) return known
  const probe = PROBES[row], x = sharedBytes()
  let answer: boolean | Promise<boolean> = false
  if (probe !== false && x !== null) {
    try { answer = probe(x) } catch { /* it says no */ }
    if (typeof answer !== 'boolean') answer = answer.catch(() => false).then((value) => { answers.set(row, value); return value })
  }
  answers.set(row, answer)
  return answer
}

/** Every row with its answer, for `doctor` and tests. */
export async function probePlatform(): Promise<Record<PlatformRow, boolean>> {
  const rows = Object.keys(PROBES) as PlatformRow[], found = await Promise.all(rows.map(takesShared))
  return Object.fromEntries(rows.map((row, i) => [row, found[i]])) as Record<PlatformRow, boolean>
}
