import { transferHandlers, type TransferHandler } from 'comlink'
import { decodeError, encodeError, type EncodedError } from '../errors/codec.js'

/** How Comlink marks what was thrown. */
interface Thrown { readonly value: unknown }

/**
 * Makes errors cross Comlink with class, code, fields and cause chain (MW-70): Comlink's own handler keeps a message only. Both ends call it before
 * their first call; calling it again changes nothing. The table is the bundled copy's own.
 */
export function useErrorCodec(): void {
  const before = transferHandlers.get('throw') as TransferHandler<Thrown, unknown>
  if (before === CODEC) return
  CODEC.canHandle = before.canHandle
  transferHandlers.set('throw', CODEC)
}

const CODEC: TransferHandler<Thrown, EncodedError> = {
  canHandle: (_value): _value is Thrown => false,
  serialize: ({ value }) => [encodeError(value), []],
  deserialize(encoded) { throw decodeError(encoded) },
}
