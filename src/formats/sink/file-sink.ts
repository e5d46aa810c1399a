import { commonErrors } from '../../errors/common-errors.js'
import { nodeFs, type FileHandle } from '../node-fs.js'
import type { ByteSink } from './byte-sink.js'

/**
 * Sink to a file of the machine (Node), replacing what was there; `abort` removes it. Throws `NOT_FOUND` when it cannot be made, `UNSUPPORTED`
 * where there is no file system.
 */
export async function fileSink(path: string | URL): Promise<ByteSink> {
  const fs = nodeFs()
  const name = path instanceof URL ? path.pathname : path
  if (!fs) throw commonErrors.UNSUPPORTED({ feature: `File path "${name}"`, runtime: 'this host', alternative: 'Leave the path out and take the bytes.' })
  let handle: FileHandle
  try {
    handle = await fs.promises.open(path, 'w')
  } catch (cause) {
    throw commonErrors.NOT_FOUND({ thing: 'File', id: name, why: (cause as { code?: string }).code ?? String(cause) }, { cause })
  }
  let length = 0
  return {
    name, seekable: true,
    write: async (bytes) => {
      await writeAll(handle, bytes, length)
      length += bytes.length
    },
    patch: (offset, bytes) => writeAll(handle, bytes, offset),
    close: () => handle.close(),
    abort: async () => {
      await handle.close()
      await fs.promises.unlink(path)
    },
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten
}
