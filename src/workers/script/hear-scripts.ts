import { onAbort } from '../../schedule/on-abort.js'
import { isNodeThread, type Endpoint } from '../endpoint.js'
import type { ScriptBoot } from './protocol.js'
import { ScriptServer, type ScriptEnvironment } from './script-server.js'

/** Turns this thread into a script thread when its engine says so. Messages of other channels are not looked at. */
export function hearScripts(endpoint: Endpoint, env: ScriptEnvironment = threadEnvironment()): void {
  endpoint.addEventListener('message', ({ data }: { readonly data: Partial<ScriptBoot> | undefined }) => {
    if (data?.millrace === 'script') new ScriptServer(data as ScriptBoot, env)
  })
  endpoint.addEventListener('messageerror', () => { endpoint.postMessage({ millrace: 'unreadable' }) })
}

/** What threads of Node and browsers have. Browsers import a Blob, Node a data URL (graph page section 3). */
function threadEnvironment(): ScriptEnvironment {
  const blobs = !isNodeThread()
  return {
    importModule: (url) => import(/* @vite-ignore */ /* webpackIgnore: true */ url) as Promise<Readonly<Record<string, unknown>>>,
    moduleOf(text) {
      if (!blobs) return { url: `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`, revoke: () => undefined }
      const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
      return { url, revoke: () => { URL.revokeObjectURL(url) } }
    },
    epochMs: () => performance.timeOrigin + performance.now(),
    every(ms, call) {
      const timer = setInterval(call, ms)
      return () => { clearInterval(timer) }
    },
    sleep: (ms, signal) => new Promise((resolve) => {
      const timer = setTimeout(done, ms), deaf = onAbort(signal, done)
      function done(): void { clearTimeout(timer); deaf(); resolve() }
      if (signal.aborted) done()
    }),
  }
}
