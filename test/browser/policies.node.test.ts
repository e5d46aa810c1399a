/**
 * Content security policies on whole pages of the built package (PK-03, PK-46, MW-71): which tier, which mode, which error, in what time.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium, openChromium } from '../support/chromium.js'
import type { PageServer } from '../support/page-server.js'
import { builtSite, FOUND, runIn } from './built-site.js'

const STRICT = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
const FILES = {
  workerURL: '/dist/worker.js',
  wasm: Object.fromEntries(['core', 'convert', 'level', 'detect'].map((name) => [name, `/dist/wasm/${name}.wasm`])),
}

let browser: Browser
const servers: PageServer[] = []
beforeAll(async () => { if (hasChromium) browser = await openChromium() }, 180_000)
afterAll(async () => {
  await browser?.close()
  await Promise.all(servers.map((server) => server.close()))
})

async function site(policy: string | undefined, isolated: boolean, header = 'Content-Security-Policy'): Promise<PageServer> {
  const server = await builtSite({ isolated, headers: policy === undefined ? {} : { [header]: policy } })
  servers.push(server)
  return server
}

describe.skipIf(!hasChromium).each([['isolated', true], ['plain', false]])('%s page', (_, isolated) => {
  const threaded = isolated ? { tier: 'wasm-threads', mode: 'shared' } : { tier: 'wasm', mode: 'transfer' }

  test('no policy: threads, nothing configured', async () => {
    const { origin, log } = await site(undefined, isolated), got = await runIn(browser, origin, { options: { workers: 2 } })
    expect(got, got.message)
      .toMatchObject({ ok: true, mode: threaded, outcomes: [{ ...FOUND, where: expect.arrayContaining(['worker']) }], complaints: [] })
    expect(got.workers.count).toBeGreaterThan(0)
    expect(log.filter((line) => /worker\.js|\.wasm/.test(line))).toEqual([])
  })

  test("without 'wasm-unsafe-eval': tier js, and one TIER_FALLBACK in all runs of an engine", async () => {
    const { origin } = await site("script-src 'self'", isolated), got = await runIn(browser, origin, { runs: 2 })
    expect(got, got.message)
      .toMatchObject({ ok: true, mode: { tier: 'js', mode: 'single' }, outcomes: [FOUND, FOUND], facts: { wasm: false } })
    const notes = got.outcomes.flatMap((outcome) => outcome.notes).filter(({ code }) => code === 'TIER_FALLBACK')
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatchObject({ severity: 'warning', message: expect.stringContaining("script-src 'wasm-unsafe-eval'") })
    const named = await runIn(browser, origin, { options: { tier: 'wasm' } })
    expect(named).toMatchObject({ ok: false, code: 'TIER_UNAVAILABLE', message: expect.stringContaining('wasm-unsafe-eval') })
  })

  test('without worker-src blob: small graphs run; forced workers fail in 5 s, naming the directive and workerURL', async () => {
    const { origin } = await site(STRICT, isolated)
    const small = await runIn(browser, origin)
    expect(small, small.message).toMatchObject({
      ok: true, mode: { tier: threaded.tier },
      outcomes: [{ ...FOUND, where: expect.not.arrayContaining(['worker']) }],
      complaints: [],
    })
    const forced = await runIn(browser, origin, { options: { workers: 2 } })
    expect(forced).toMatchObject({
      ok: false, code: 'WORKER_SPAWN', hint: expect.stringMatching(/worker-src blob:.*workerURL/), workers: { count: 0 },
    })
    expect(forced.ms).toBeLessThan(5_000)
  })

  test('strict policy with workerURL and wasm: the files are what runs', async () => {
    const { origin, log } = await site(STRICT, isolated), got = await runIn(browser, origin, { options: { ...FILES, workers: 2 } })
    expect(got, got.message)
      .toMatchObject({ ok: true, mode: threaded, outcomes: [{ ...FOUND, where: expect.arrayContaining(['worker']) }], complaints: [] })
    for (const file of ['worker.js', 'wasm/core.wasm', 'wasm/convert.wasm', 'wasm/level.wasm', 'wasm/detect.wasm']) {
      expect(log).toContain(`200 /dist/${file}`)
    }
  })

  test('an option that leads nowhere fails with its code and is never replaced', async () => {
    const { origin, log } = await site(undefined, isolated)
    expect(await runIn(browser, origin, { options: { workerURL: '/absent/worker.js', workers: 1 } }))
      .toMatchObject({ ok: false, code: 'WORKER_SPAWN', workers: { count: 0 } })
    for (const module of ['core', 'convert', 'level', 'detect']) {
      expect(await runIn(browser, origin, { options: { wasm: { [module]: `/absent/${module}.wasm` } } }))
        .toMatchObject({ ok: false, code: 'KERNEL_ABI', message: expect.stringMatching(/absent.*404/) })
    }
    expect(log).toEqual(expect.arrayContaining(['404 /absent/worker.js', '404 /absent/core.wasm']))
  })

  test('nodes on threads: a module file under the strict policy, the function\'s text where Blobs may run', async () => {
    const program = readFileSync(fileURLToPath(new URL('pages/script-program.mjs', import.meta.url)))
    const code = "export const process = async (inputs, params, ctx) => ({ out: { media: { kind: 'json' }, data: { twice: params.x * 2, page: typeof document, node: ctx.node.id }, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {} } })"
    const files = {
      '/program.mjs': { body: program, type: 'text/javascript' },
      '/code.mjs': { body: Buffer.from(code), type: 'text/javascript' },
    }
    const strict = await builtSite({ isolated, headers: { 'Content-Security-Policy': STRICT }, files })
    const open = await builtSite({ isolated, files })
    servers.push(strict, open)
    const done = { ok: true, data: { twice: 42, page: 'undefined', node: 'n' }, where: 'worker', mode: threaded.mode }
    expect(await runIn(browser, strict.origin, { options: FILES, codeURL: '/code.mjs' })).toMatchObject(done)
    expect(strict.log).toContain('200 /code.mjs')
    expect(await runIn(browser, open.origin, {})).toMatchObject(done)
    expect(await runIn(browser, strict.origin, { options: FILES }))
      .toMatchObject({ ok: false, code: 'NETWORK', hint: expect.stringContaining('codeURL') })
    const blocked = await runIn(browser, strict.origin, { options: { wasm: FILES.wasm }, codeURL: '/code.mjs' })
    expect(blocked).toMatchObject({ ok: false, code: 'WORKER_SPAWN', hint: expect.stringMatching(/worker-src blob:.*workerURL/) })
    expect(blocked.ms).toBeLessThan(5_000)
  })

  test('audio contexts: the inlined code where Blobs may run, workletURL under the strict policy, never the one for the other', async () => {
    const files = {
      '/program.mjs': { body: readFileSync(fileURLToPath(new URL('pages/worklet-program.mjs', import.meta.url))), type: 'text/javascript' },
    }
    const strict = await builtSite({ isolated, headers: { 'Content-Security-Policy': STRICT }, files })
    const open = await builtSite({ isolated, files })
    servers.push(strict, open)
    const done = { ok: true, loud: true, equal: true, mode: threaded.mode, complaints: [] }, file = { workletURL: '/dist/worklet.js' }
    expect(await runIn(browser, open.origin, {})).toMatchObject(done)
    expect(open.log.filter((line) => line.includes('worklet.js'))).toEqual([])
    expect(await runIn(browser, strict.origin, { options: { ...FILES, ...file } })).toMatchObject(done)
    expect(strict.log).toContain('200 /dist/worklet.js')
    expect(await runIn(browser, strict.origin, { options: FILES }))
      .toMatchObject({ ok: false, code: 'NETWORK', hint: expect.stringMatching(/script-src blob:.*workletURL/) })
    expect(await runIn(browser, open.origin, { options: { workletURL: '/absent/worklet.js' } }))
      .toMatchObject({ ok: false, code: 'NETWORK', message: expect.stringContaining('/absent/worklet.js') })
  })

  test('a policy that only reports stops nothing', async () => {
    const { origin } = await site("script-src 'self'; worker-src 'none'", isolated, 'Content-Security-Policy-Report-Only')
    const got = await runIn(browser, origin, { options: { workers: 2 } })
    expect(got, got.message)
      .toMatchObject({ ok: true, mode: threaded, outcomes: [{ ...FOUND, where: expect.arrayContaining(['worker']) }] })
  })
})
