import { commonErrors } from '../../errors/common-errors.js'
import type { ByteSink } from './byte-sink.js'

/** Sink to a web stream; waits for its backpressure. Copies each piece, because the stream's reader may keep it. */
export function streamSink(stream: WritableStream<Uint8Array>, name = 'stream'): ByteSink {
  const writer = stream.getWriter()
  return {
    name, seekable: false,
    write: async (bytes) => {
      await writer.ready
      await writer.write(bytes.slice())
    },
    patch: () => Promise.reject(commonErrors.UNSUPPORTED({ feature: 'ByteSink.patch', runtime: 'a stream' })),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  }
}
