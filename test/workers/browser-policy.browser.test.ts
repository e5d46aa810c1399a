import { afterEach, expect, inject, test } from 'vitest'
import { browserSpawner } from '../../src/workers/spawn-browser.js'
import { makePool, rejection, shares, workerCode } from './support.js'

const frames: HTMLIFrameElement[] = []
afterEach(() => { for (const frame of frames.splice(0)) frame.remove() })

/** A page with a content security policy, in a frame: its own Worker, URL and Blob. */
async function pageWith(policy: string): Promise<Window & typeof globalThis> {
  const frame = document.createElement('iframe')
  frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="${policy}"><p>policy</p>`
  const loaded = new Promise((resolve) => { frame.addEventListener('load', resolve, { once: true }) })
  document.body.append(frame)
  frames.push(frame)
  await loaded
  return frame.contentWindow as Window & typeof globalThis
}

test('the project has the mode that its headers give', () => { expect(shares).toBe(inject('isolated')) })

test('a policy without worker-src blob: fails the start in time, names the directive and workerURL', async () => {
  const page = await pageWith("worker-src 'none'")
  const { pool } = await makePool({ spawn: browserSpawner({ code: workerCode }, page), startTimeoutMs: 3_000 })
  const error = await rejection(pool.ensure(1))
  expect(error.code).toBe('WORKER_SPAWN')
  expect(error.hint).toMatch(/worker-src blob:.*workerURL/)
  expect(pool.stats().count).toBe(0)
  await pool.close()
})

test('a policy that allows the Blob starts', async () => {
  const page = await pageWith("script-src 'self' 'wasm-unsafe-eval' blob:; worker-src blob:")
  const { pool } = await makePool({ spawn: browserSpawner({ code: workerCode }, page) })
  await pool.ensure(2)
  expect(pool.stats().count).toBe(2)
  expect((await pool.dump()).length).toBe(2)
  await pool.close()
})

test('workerURL: a file is used, a missing one fails and is not replaced', async () => {
  const url = URL.createObjectURL(new Blob([workerCode], { type: 'text/javascript' }))
  const { pool } = await makePool({ spawn: browserSpawner({ url }) })
  await pool.ensure(1)
  expect(pool.stats().count).toBe(1)
  await pool.close()
  URL.revokeObjectURL(url)
  const { pool: absent } = await makePool({ spawn: browserSpawner({ url: '/absent/worker.js' }), startTimeoutMs: 3_000 })
  expect((await rejection(absent.ensure(1))).code).toBe('WORKER_SPAWN')
  await absent.close()
})
