import { commonErrors } from '../../errors/common-errors.js'
import { nodeFs, type FileHandle, type FileStat, type NodeFs, refusal } from '../node-fs.js'
import type { ByteSink } from './byte-sink.js'

/** `fs.constants.W_OK`. */
const WRITABLE = 2

/**
 * Sink to a file of the machine (Node). The bytes go to `<path>.part-<random>` beside it, which takes the file's place on `close`: until
 * then what stood there is untouched, and `abort` removes the part only. A pipe or device is written directly, front to back, and never
 * removed. Throws `NOT_FOUND` when the file cannot be made, `UNSUPPORTED` where there is no file system.
 */
export async function fileSink(path: string | URL): Promise<ByteSink> {
  const fs = nodeFs()
  const name = path instanceof URL ? path.pathname : path
  if (!fs) {
    throw commonErrors.UNSUPPORTED({
      feature: `File path "${name}"`, runtime: 'this host', alternative: 'Leave the path out and take the bytes.',
    })
  }
  try {
    const there = await statOf(fs, path)
    return there === null || there.isFile()
      ? await replacingSink(fs, name, path, there)
      : directSink(name, await fs.promises.open(path, 'w'))
  } catch (cause) {
    throw commonErrors.NOT_FOUND({ thing: 'File', id: name, why: refusal(cause).replace('it does', 'its folder does') }, { cause })
  }
}

/** Null where nothing stands yet. */
async function statOf(fs: NodeFs, path: string | URL): Promise<FileStat | null> {
  try {
    return await fs.promises.stat(path)
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
  }
}

async function replacingSink(fs: NodeFs, name: string, path: string | URL, there: FileStat | null): Promise<ByteSink> {
  // A rename asks for rights on the folder only: a file that is write-protected must stay so.
  if (there) await fs.promises.access(path, WRITABLE)
  // Through a link, the file that it names is replaced and not the link.
  const target = there ? await fs.promises.realpath(path) : path
  const part = partOf(target)
  const handle = await fs.promises.open(part, 'wx', there ? there.mode & 0o777 : 0o666)
  let length = 0, ended = false
  const drop = async (): Promise<void> => {
    if (ended) return
    ended = true
    try { await handle.close() } finally { await fs.promises.unlink(part) }
  }
  return {
    name, seekable: true,
    write: async (bytes) => {
      await writeAll(handle, bytes, length)
      length += bytes.length
    },
    patch: (offset, bytes) => writeAll(handle, bytes, offset),
    close: async () => {
      if (ended) return
      try {
        await handle.close()
        await fs.promises.rename(part, target)
        ended = true
      } catch (error) {
        await drop().catch(() => undefined)
        throw error
      }
    },
    abort: drop,
  }
}

function directSink(name: string, handle: FileHandle): ByteSink {
  return {
    name, seekable: false,
    write: (bytes) => writeAll(handle, bytes, null),
    patch: () => Promise.reject(commonErrors.UNSUPPORTED({ feature: 'ByteSink.patch', runtime: 'a pipe or device' })),
    close: () => handle.close(),
    abort: () => handle.close(),
  }
}

function partOf(target: string | URL): string | URL {
  const suffix = `.part-${[...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  if (typeof target === 'string') return target + suffix
  const url = new URL(target)
  url.pathname += suffix
  return url
}

/** `offset` null: wherever the file stands, for what cannot be positioned. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number | null): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, offset === null ? null : offset + done)).bytesWritten
  }
}
