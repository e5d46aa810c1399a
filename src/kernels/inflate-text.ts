/** Inlined text to bytes: base64, then raw deflate (PK-17). Not a validator: the text comes from our own build. */

type Decoders = { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }

/**
 * Decodes standard base64. Uses `Uint8Array.fromBase64` where the host has it, else `Buffer` (Node 20), else `atob`.
 *
 * @param text base64 with padding, no white space
 * @returns bytes in an ArrayBuffer of their own (never a slice of Buffer's pool, so that they may be patched and transferred)
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const native = (Uint8Array as unknown as Decoders).fromBase64
  if (typeof native === 'function') return native.call(Uint8Array, text)
  if (typeof Buffer === 'function') return new Uint8Array(Buffer.from(text, 'base64'))
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}

/**
 * Bytes of an inlined text. Every host that has the engine's WebAssembly features has DecompressionStream; Node
 * inflates without a stream, which is quicker.
 */
export async function inflateText(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = decodeBase64(text)
  if (typeof process === 'object' && typeof process.getBuiltinModule === 'function') {
    return new Uint8Array(process.getBuiltinModule('zlib').inflateRawSync(packed))
  }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
