/**
 * A page that goes away closes its engines (MW-51): what is pending is rejected with CLOSED, workers end; one that only sleeps
 * keeps them. The page is a frame of its own.
 */
import { afterEach, expect, inject, test } from 'vitest'

/** Where a frame's code, whose own realm may be gone, tells what happened. */
const room = window as typeof window
  & { told?: { said: string[]; names: string[]; ready: (count: () => number) => void; failed: (error: unknown) => void } }
const frames: HTMLIFrameElement[] = []
afterEach(() => { for (const frame of frames.splice(0)) frame.remove() })

/** A page with an engine, two workers of these names, and a run that waits. */
async function openPage(): Promise<
  { readonly frame: HTMLIFrameElement; readonly said: string[]; readonly names: readonly string[]; readonly count: () => number }
> {
  const said: string[] = [], names: string[] = [], frame = document.createElement('iframe')
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  const ready = new Promise<() => number>((resolve, reject) => { room.told = { said, names, ready: resolve, failed: reject } })
  // Vitest's server puts its own word before every import().
  frame.srcdoc = `<script>
    __vitest_browser_runner__ = { wrapDynamicImport: (load) => load() }
    addEventListener('error', ({ message, target }) => { parent.told.failed(new Error(message ?? 'no ' + target.src)) }, true)
    addEventListener('unhandledrejection', ({ reason }) => { parent.told.failed(reason) })
  </script><script type="module">
    import { createEngine, defineNode, json } from ${url('../../src/index.ts')}
    import { audioBuffer, gain } from ${url('../../src/nodes/index.ts')}
    const told = parent.told
    Worker = class extends Worker { constructor(url, options) { super(url, options); told.names.push(options.name) } }
    const engine = await createEngine({ workers: 2, warmSpares: 0, logger: () => undefined })
    const waits = defineNode({
      type: 'test::waits', version: '1.0.0', title: 'Waits', doc: 'Waits.', family: 'test', params: {}, inputs: {}, outputs: { out: { media: json() } },
      process: (_inputs, _params, ctx) => new Promise((resolve, reject) => { ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)) }),
    })
    const work = () => engine.run({ out: gain(audioBuffer({ data: [new Float32Array(1_000)], rate: 16_000 }), { gainDb: 1 }) })
    await work()
    const tell = (name, promise) => promise.then(() => told.said.push(name + ': done'), (error) => told.said.push(name + ': ' + error.code))
    tell('waiting', engine.run({ out: waits() }))
    globalThis.again = () => tell('again', work())
    told.ready(() => engine.stats().workers.count)
  </script>`
  document.body.append(frame)
  frames.push(frame)
  return { frame, said, names, count: await ready }
}

// Loading all of the engine into a page of its own takes seconds: once, in one of the two projects.
test.skipIf(!inject('isolated'))('a page that only sleeps keeps its engine; of one that is led elsewhere runs are told before it is gone, and its threads end', { timeout: 60_000 }, async () => {
  const { frame, said, names, count } = await openPage(), page = frame.contentWindow as unknown as typeof window & { again(): void }
  const locks = async (): Promise<number> => (await navigator.locks.query()).held!.filter(({ name }) => names.includes(name!)).length
  expect([count(), await locks()]).toEqual([2, 2])
  page.dispatchEvent(new page.PageTransitionEvent('pagehide', { persisted: true }))
  page.again()
  await expect.poll(() => said, { timeout: 10_000 }).toEqual(['again: done'])
  const left = new Promise((resolve) => { frame.addEventListener('load', resolve, { once: true }) })
  frame.removeAttribute('srcdoc')
  frame.src = 'about:blank'
  await left
  expect(said).toEqual(['again: done', 'waiting: CLOSED'])
  // Their end alone releases them.
  await expect.poll(locks, { timeout: 10_000 }).toBe(0)
})
