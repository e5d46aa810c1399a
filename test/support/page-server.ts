/** A local http server for browser tests: folders and made-up files under one origin, with the headers that a test asks for. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { ISOLATION_HEADERS } from '../../scripts/lib/chromium.mjs'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm',
  '.json': 'application/json', '.wav': 'audio/wav',
}

/** What a server gives out. */
export interface Site {
  /** Folders by the path they are served under, such as `/dist/`. */
  readonly folders?: Readonly<Record<string, string>>
  /** Files by path, made by the test. */
  readonly files?: Readonly<Record<string, { readonly body: string | Uint8Array; readonly type: string }>>
  /** Sends COOP and COEP with everything. */
  readonly isolated?: boolean
  /** Lets other origins read (`Access-Control-Allow-Origin: *`). */
  readonly cors?: boolean
  /** More headers with everything, such as a content security policy. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface PageServer {
  /** Such as `http://127.0.0.1:40123`. */
  readonly origin: string
  /** Every answer so far, such as `404 /absent.js`. */
  readonly log: readonly string[]
  close(): Promise<void>
}

/** Serves a site on a free port of this machine. */
export async function servePages(site: Site): Promise<PageServer> {
  const log: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname), found = lookUp(site, path)
    const headers = {
      ...(site.isolated && ISOLATION_HEADERS), ...(site.cors && { 'Access-Control-Allow-Origin': '*' }), ...site.headers,
      'Cache-Control': 'no-store',
    }
    log.push(`${found === undefined ? 404 : 200} ${path}`)
    response.writeHead(found === undefined ? 404 : 200, { ...headers, 'Content-Type': found?.type ?? 'text/plain' })
    response.end(found?.body ?? 'not found')
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  return { origin: `http://127.0.0.1:${(server.address() as { port: number }).port}`, log, close: () => closed(server) }
}

function lookUp(
  { files = {}, folders = {} }: Site, path: string,
): { readonly body: string | Uint8Array; readonly type: string } | undefined {
  if (files[path] !== undefined) return files[path]
  const prefix = Object.keys(folders).find((one) => path.startsWith(one))
  if (prefix === undefined) return undefined
  const folder = normalize(folders[prefix]!), at = normalize(join(folder, path.slice(prefix.length)))
  const file = existsSync(at) && statSync(at).isDirectory() ? join(at, 'index.html') : at
  if (!file.startsWith(folder) || !existsSync(file)) return undefined
  return { body: readFileSync(file), type: TYPES[extname(file)] ?? 'application/octet-stream' }
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => { done() })
    server.closeAllConnections()
  })
}
