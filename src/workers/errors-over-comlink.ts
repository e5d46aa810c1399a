import { transferHandlers, type TransferHandler } from 'comlink'
import { encodeError, type EncodedError } from '../errors/codec.js'

/** How Comlink marks what was thrown. */
interface Thrown { readonly value: unknown }

/**
 * Makes errors cross Comlink with class, code, fields and cause chain (MW-70): Comlink's own handler keeps a message only. Both ends call
 * it before their first call; calling it again changes nothing. The table is the bundled copy's own. `decode`: for the side that makes
 * calls; a worker only answers, and its code is inlined as text, so it carries no decoder.
 */
export function useErrorCodec(decode?: (encoded: unknown) => Error): void {
  if (decode !== undefined) decoder = decode
  const before = transferHandlers.get('throw') as TransferHandler<Thrown, unknown>
  if (before === CODEC) return
  CODEC.canHandle = before.canHandle
  transferHandlers.set('throw', CODEC)
}

let decoder = (encoded: unknown): Error => new Error((encoded as EncodedError).message)

const CODEC: TransferHandler<Thrown, EncodedError> = {
  canHandle: (_value): _value is Thrown => false,
  serialize: ({ value }) => [encodeError(value), []],
  deserialize(encoded) { throw decoder(encoded) },
}
