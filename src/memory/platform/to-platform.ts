import type { CopyLedger } from '../copies.js'
import { isShared } from '../views.js'
import { takesShared, type PlatformRow } from './platform-probe.js'

/** Where a copy that the platform forces is charged, reason `platform`. `edge`: default the row's name. */
export interface PlatformCharge { readonly ledger: CopyLedger; readonly edge?: string }

/** Bytes of whatever memory; the platform's types want private ones. */
type Bytes = Uint8Array
type Views = Uint8Array | Float32Array | Uint8ClampedArray
/** The same array over private memory: the platform's types name each kind apart, so this does too. */
type Private<T extends Views> = T extends Float32Array ? Float32Array<ArrayBuffer>
  : T extends Uint8ClampedArray ? Uint8ClampedArray<ArrayBuffer>
  : Uint8Array<ArrayBuffer>

/** The view itself when it is private or the interface takes shared ones, else one counted copy. */
function given<T extends Views>(row: PlatformRow, view: T, charge: PlatformCharge, takes: boolean): Private<T> {
  return (!isShared(view.buffer) || takes ? view : own(row, view, charge)) as unknown as Private<T>
}

function own<T extends Views>(row: string, view: T, { ledger, edge = row }: PlatformCharge): Private<T> {
  ledger.add(edge, view.byteLength, 'platform')
  return view.slice() as unknown as Private<T>
}

/** Lets `fill` write into the view, or into a private twin that is copied back. */
function filled<T extends Views, R>(row: PlatformRow, view: T, charge: PlatformCharge, takes: boolean, fill: (view: Private<T>) => R): R {
  if (!isShared(view.buffer) || takes) return fill(view as unknown as Private<T>)
  const twin = view.slice() as unknown as Private<T>, result = fill(twin)
  view.set(twin)
  charge.ledger.add(charge.edge ?? row, view.byteLength, 'platform')
  return result
}

/** Sync answer: rows whose probe is async are asked by async functions only. */
const now = (row: PlatformRow): boolean => takesShared(row) === true

/**
 * One function per row of spec memory-and-workers.md section 10 (MW-79): what goes to the platform from shared memory goes as it stands
 * where the host takes it, else by one copy that is charged. Results are the platform's own. Nothing here puts a buffer into a transfer
 * list but {@link ownBuffer}, which makes it for that.
 */

/** `crypto.subtle.digest`. */
export async function digest(algorithm: string, bytes: Bytes, charge: PlatformCharge): Promise<ArrayBuffer> {
  return crypto.subtle.digest(algorithm, given('crypto.subtle', bytes, charge, await takesShared('crypto.subtle')))
}

/**
 * A byob read of a stream into `target`; the bytes read, 0 at the end. The reader takes its buffer
 * away, so it is always given one of its own.
 */
export async function readInto(
  reader: { read(view: Uint8Array<ArrayBuffer>): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> },
  target: Bytes, charge: PlatformCharge,
): Promise<number> {
  const { value } = await reader.read(new Uint8Array(target.length))
  if (value === undefined || value.length === 0) return 0
  target.set(value)
  charge.ledger.add(charge.edge ?? 'ReadableStream.byob', value.length, 'platform')
  return value.length
}

/** UTF-8 as text; bytes that are none become U+FFFD. Long text: {@link import('./text.js').textOfBytes}, which copies slices. */
export function decodeText(bytes: Bytes, charge: PlatformCharge): string {
  return new TextDecoder().decode(given('TextDecoder', bytes, charge, now('TextDecoder')))
}

/** `TextEncoder.encodeInto`. */
export function encodeText(text: string, target: Bytes, charge: PlatformCharge): { readonly read: number; readonly written: number } {
  return filled('TextEncoder.encodeInto', target, charge, now('TextEncoder.encodeInto'), (view) => new TextEncoder().encodeInto(text, view))
}

/** `crypto.getRandomValues`, any number of bytes. */
export function randomValues(target: Bytes, charge: PlatformCharge): void {
  filled('crypto.getRandomValues', target, charge, now('crypto.getRandomValues'), (view) => {
    for (let at = 0; at < view.length; at += 65_536) crypto.getRandomValues(view.subarray(at, at + 65_536))
  })
}

/** A Blob of parts. */
export async function blobOf(parts: readonly Bytes[], charge: PlatformCharge, options?: BlobPropertyBag): Promise<Blob> {
  const takes = await takesShared('Blob')
  return new Blob(parts.map((part) => given('Blob', part, charge, takes)), options)
}

/** `WebSocket.send`. */
export function sendOn(socket: { send(bytes: Uint8Array<ArrayBuffer>): void }, bytes: Bytes, charge: PlatformCharge): void {
  socket.send(given('WebSocket.send', bytes, charge, now('WebSocket.send')))
}

/** A chunk into a CompressionStream, or with `row` into a writable file of the origin's private file system. */
export async function writeTo(
  writer: { write(chunk: Uint8Array<ArrayBuffer>): Promise<void> }, bytes: Bytes, charge: PlatformCharge,
  row: 'CompressionStream' | 'FileSystemWritableFileStream' = 'CompressionStream',
): Promise<void> {
  await writer.write(given(row, bytes, charge, await takesShared(row)))
}

/** A Response with this body. */
export async function responseOf(bytes: Bytes, charge: PlatformCharge, init?: ResponseInit): Promise<Response> {
  return new Response(given('Response', bytes, charge, await takesShared('Response')), init)
}

/** RGBA pixels as ImageData. */
export function imageOf(pixels: Uint8ClampedArray, width: number, height: number, charge: PlatformCharge): ImageData {
  return new ImageData(given('ImageData', pixels, charge, now('ImageData')), width, height)
}

/** A channel of samples into an AudioBuffer of Web Audio. */
export function copyToChannel(
  buffer: Pick<AudioBuffer, 'copyToChannel'>, samples: Float32Array, channel: number, charge: PlatformCharge, startInChannel = 0,
): void {
  buffer.copyToChannel(given('AudioBuffer.copyToChannel', samples, charge, now('AudioBuffer.copyToChannel')), channel, startInChannel)
}

/** A channel of an AudioBuffer of Web Audio into samples. */
export function copyFromChannel(
  buffer: Pick<AudioBuffer, 'copyFromChannel'>, samples: Float32Array, channel: number, charge: PlatformCharge, startInChannel = 0,
): void {
  filled('AudioBuffer.copyFromChannel', samples, charge, now('AudioBuffer.copyFromChannel'), (view) => {
    buffer.copyFromChannel(view, channel, startInChannel)
  })
}

/** A waveform of an AnalyserNode. */
export function analyse(node: Pick<AnalyserNode, 'getFloatTimeDomainData'>, samples: Float32Array, charge: PlatformCharge): void {
  filled('AnalyserNode', samples, charge, now('AnalyserNode'), (view) => { node.getFloatTimeDomainData(view) })
}

/** Audio as AudioData. */
export function audioDataOf(init: Omit<AudioDataInit, 'data'>, samples: Float32Array, charge: PlatformCharge): AudioData {
  return new AudioData({ ...init, data: given('AudioData', samples, charge, now('AudioData')) })
}

/** `WebAssembly.compile`. */
export async function compileBytes(bytes: Bytes, charge: PlatformCharge): Promise<WebAssembly.Module> {
  return WebAssembly.compile(given('WebAssembly.compile', bytes, charge, await takesShared('WebAssembly.compile')))
}

/**
 * A buffer of their own for bytes that are to be transferred: a WebAssembly memory's may never be
 * (Chromium throws, Node 20 copies without a word).
 */
export function ownBuffer(bytes: Bytes, charge: PlatformCharge): ArrayBuffer { return own('transfer', bytes, charge).buffer }
