import { commonErrors } from '../../errors/common-errors.js'
import { formatErrors } from '../errors.js'
import { nodeFs, type FileHandle, type FileStat, refusal } from '../node-fs.js'
import type { ByteSource } from './byte-source.js'

/**
 * Source over a file of the machine (Node). Throws `NOT_FOUND` when it cannot be opened, `FILE_INVALID` for a folder, pipe or device,
 * `UNSUPPORTED` where there is no file system.
 */
export async function fileSource(path: string | URL): Promise<ByteSource> {
  const fs = nodeFs()
  const name = path instanceof URL ? path.pathname : path
  if (!fs) {
    throw commonErrors.UNSUPPORTED({
      feature: `File path "${name}"`, runtime: 'this host', alternative: 'Give a URL, a Blob or the bytes.',
    })
  }
  // Asked before it is opened: opening a pipe waits for its writer, and nothing can end that wait.
  const before = await told(() => fs.promises.stat(path), name)
  if (!before.isFile()) {
    throw formatErrors.FILE_INVALID({
      file: name, expected: 'a regular file', offset: 0, got: kindOf(before),
      ...(before.isDirectory() ? {} : { hint: 'Read it as a stream: fs.createReadStream(path).' }),
    })
  }
  const handle = await told(() => fs.promises.open(path, 'r'), name)
  const stat = await handle.stat()
  return {
    name, size: stat.size, seekable: true, view: () => null,
    read: (offset, target) => fill(handle, offset, target),
    close: () => handle.close(),
  }
}

/** Turns the system's refusal into a coded error that keeps its cause. */
async function told<T>(action: () => Promise<T>, name: string): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    throw commonErrors.NOT_FOUND({ thing: 'File', id: name, why: refusal(cause) }, { cause })
  }
}

function kindOf(stat: FileStat): string { return stat.isDirectory() ? 'a folder' : stat.isFIFO() ? 'a pipe' : 'a device or socket' }

async function fill(handle: FileHandle, offset: number, target: Uint8Array): Promise<number> {
  let done = 0
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}
