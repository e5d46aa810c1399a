import { utf8Length, writeUtf8 } from '../utf8.js'

/** Unpacks zlib data (RFC 1950) to at most `most` bytes; throws or gives nothing when it cannot. */
export type Inflate = (packed: Uint8Array, most: number) => Uint8Array | undefined

/** How graphs are read out of media files. */
export interface ExtractOptions {
  /** Without it compressed texts are passed over. */
  readonly inflate?: Inflate
  /** Longest text, in bytes; longer ones are passed over. Default 10 MiB. */
  readonly most?: number
}

/** Default of {@link ExtractOptions.most}. */
export const MOST_BYTES = 10_485_760

/** Bytes of a text in UTF-8; lone surrogates, which JSON text has no need of, become U+FFFD. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  const good = utf8Length(text) >= 0
    ? text
    : text.replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
  const bytes = new Uint8Array(utf8Length(good))
  writeUtf8(bytes, 0, good)
  return bytes
}

/** Latin-1 bytes as text. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8_192) {
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + 8_192)) as string
  }
  return text
}

/** Parts one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { all.set(part, at); at += part.length }
  return all
}
