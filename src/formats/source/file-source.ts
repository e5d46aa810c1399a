import { commonErrors } from '../../errors/common-errors.js'
import { nodeFs, type FileHandle } from '../node-fs.js'
import type { ByteSource } from './byte-source.js'

/** Source over a file of the machine (Node). Throws `NOT_FOUND` when it cannot be opened, `UNSUPPORTED` where there is no file system. */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const fs = nodeFs()
  const name = path instanceof URL ? path.pathname : path
  if (!fs) throw commonErrors.UNSUPPORTED({ feature: `File path "${name}"`, runtime: 'this host', alternative: 'Give a URL, a Blob or the bytes.' })
  const handle = await open(() => fs.promises.open(path, 'r'), name)
  const stat = await handle.stat()
  if (!stat.isFile()) {
    await handle.close()
    throw commonErrors.NOT_FOUND({ thing: 'File', id: name, why: 'not a regular file' })
  }
  return {
    name, size: stat.size, seekable: true, view: () => null,
    read: (offset, target) => fill(handle, offset, target),
    close: () => handle.close(),
  }
}

/** Turns the system's refusal into a coded error that keeps its cause. */
async function open(action: () => Promise<FileHandle>, name: string): Promise<FileHandle> {
  try {
    return await action()
  } catch (cause) {
    const why = (cause as { code?: string }).code ?? String(cause)
    throw commonErrors.NOT_FOUND({ thing: 'File', id: name, why }, { cause })
  }
}

async function fill(handle: FileHandle, offset: number, target: Uint8Array): Promise<number> {
  let done = 0
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
