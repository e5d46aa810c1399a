/**
 * How the built package loads in whole pages: modes, wasm by URL, script tag from another origin with SRI, `file://`, worklet file (PK-20,
 * PK-42, PK-45, PK-47, PK-49, MW-55, MW-59, MW-75).
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeError, type EncodedError } from '../../src/errors/codec.js'
import { hasChromium, openChromium, openPage, within } from '../support/chromium.js'
import { servePages, type PageServer, type Site } from '../support/page-server.js'
import { builtSite, cdnPage, dist, FOUND, runIn } from './built-site.js'
import { toneWav } from './tone-wav.js'

let browser: Browser
const servers: PageServer[] = []
const scratch = mkdtempSync(join(tmpdir(), 'millrace-file-'))
beforeAll(async () => { if (hasChromium) browser = await openChromium() }, 180_000)
afterAll(async () => {
  await browser?.close()
  await Promise.all(servers.map((server) => server.close()))
  rmSync(scratch, { recursive: true, force: true })
})

async function served(server: Promise<PageServer>): Promise<PageServer> {
  servers.push(await server)
  return server
}
const site = (more: Site): Promise<PageServer> => served(builtSite(more))
const KINDS = [['isolated', true], ['plain', false]] as const

describe.skipIf(!hasChromium)('modes', () => {
  test.each([
    [true, 'auto', { tier: 'wasm-threads', mode: 'shared' }], [true, true, { tier: 'wasm-threads', mode: 'shared' }],
    [true, false, { tier: 'wasm', mode: 'transfer', why: expect.stringContaining('best') }],
    [false, 'auto', { tier: 'wasm', mode: 'transfer' }], [false, false, { tier: 'wasm', mode: 'transfer' }],
  ])('isolated %s, shared %s', async (isolated, shared, mode) => {
    const { origin } = await site({ isolated }), got = await runIn(browser, origin, { options: { shared, workers: 1 } })
    expect(got, got.message).toMatchObject({
      ok: true, mode,
      outcomes: [{ ...FOUND, where: expect.arrayContaining(['worker']) }],
      facts: { sab: isolated, isolated, browser: true }, complaints: [],
    })
  })

  test('isolated, but SharedArrayBuffer is no name there (as in WebKitGTK): transfer, and nothing throws', async () => {
    const page = '<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><script>delete globalThis.SharedArrayBuffer</script><script type="module" src="/program.mjs"></script>'
    const { origin } = await site({ isolated: true, files: { '/': { body: page, type: 'text/html' } } })
    const got = await runIn(browser, origin, { options: { workers: 1 } })
    expect(got, got.message).toMatchObject({
      ok: true, mode: { tier: 'wasm', mode: 'transfer' },
      outcomes: [{ ...FOUND, where: expect.arrayContaining(['worker']) }],
      facts: { sab: false, isolated: true }, complaints: [],
    })
    expect(await runIn(browser, origin, { options: { shared: true } }))
      .toMatchObject({ ok: false, code: 'SHARED_MEMORY', message: expect.stringContaining('SharedArrayBuffer') })
  })

  test('shared memory demanded of a page that is not isolated: the missing headers by name', async () => {
    const { origin } = await site({})
    expect(await runIn(browser, origin, { options: { shared: true } })).toMatchObject({
      ok: false, code: 'SHARED_MEMORY',
      message: expect.stringMatching(/Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/),
    })
  })
})

describe.skipIf(!hasChromium)('wasm from a URL', () => {
  test.each([
    ['application/wasm', 1], ['text/plain', 0], ['application/octet-stream', 0],
  ])('type %s: %i compiled while loading', async (type, streamed) => {
    const body = readFileSync(join(dist, 'wasm/core.wasm'))
    const { origin, log } = await site({ isolated: true, files: { '/core': { body, type } } })
    const got = await runIn(browser, origin, { options: { wasm: '/core' } })
    expect(got, got.message).toMatchObject({ ok: true, streamed, outcomes: [FOUND] })
    expect(log).toContain('200 /core')
  })

  test('a page of text in its place is refused by its content', async () => {
    const { origin } = await site({ files: { '/core': { body: '<h1>login</h1>', type: 'text/html' } } })
    expect(await runIn(browser, origin, { options: { wasm: { core: '/core' } } }))
      .toMatchObject({ ok: false, code: 'KERNEL_ABI', message: expect.stringContaining('core') })
  })
})

describe.skipIf(!hasChromium)('script tag', () => {
  const wav = { name: 'tone.wav', mimeType: 'audio/wav', buffer: toneWav() }
  const one = /^1 speech segments in \d+ ms\n0\.30 – 0\.60 s$/

  /** Picks the tone on the page of demo/cdn and returns what it then shows. */
  async function pick(url: string): Promise<{ text: string; added: string[]; faults: string[]; complaints: string[] }> {
    const { page, complaints, close } = await openPage(browser, undefined)
    try {
      await page.addInitScript(() => {
        Object.defineProperty(globalThis, Symbol.for('names'), { value: Object.getOwnPropertyNames(globalThis) })
      })
      await page.goto(url)
      const added = await page.evaluate(() => {
        const before = (globalThis as unknown as Record<symbol, string[]>)[Symbol.for('names')]!
        return Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name))
      })
      await page.locator('#file').setInputFiles(wav)
      const out = page.locator('#out')
      await expect.poll(() => out.textContent(), { timeout: 15_000 }).not.toMatch(/^(Choose|Working)/)
      const { violations } = await new AxeBuilder({ page }).analyze()
      return { text: await out.textContent() ?? '', added, faults: violations.map(({ id }) => id), complaints }
    } finally { await close() }
  }

  test('file:// runs demo/cdn/index.html as it is', async () => {
    mkdirSync(join(scratch, 'demo/cdn'), { recursive: true })
    mkdirSync(join(scratch, 'dist'))
    writeFileSync(join(scratch, 'demo/cdn/index.html'), cdnPage())
    copyFileSync(join(dist, 'millrace.global.js'), join(scratch, 'dist/millrace.global.js'))
    const { text, added, faults, complaints } = await pick(pathToFileURL(join(scratch, 'demo/cdn/index.html')).href)
    expect(text).toMatch(one)
    // The page's own script adds none: its names are `const`.
    expect(added).toEqual(['millrace'])
    expect(faults).toEqual([])
    expect(complaints).toEqual([])
  })

  test('file:// starts workers too', async () => {
    writeFileSync(
      join(scratch, 'workers.html'),
      `<!doctype html><meta charset="utf-8"><title>t</title><script>${readFileSync(join(dist, 'millrace.global.js'), 'utf8')}</script>`,
    )
    const { page, close } = await openPage(browser, pathToFileURL(join(scratch, 'workers.html')).href)
    const got = await within('the page', page.evaluate(async () => {
      const { createEngine, audioBuffer, gain } = (globalThis as unknown as { millrace: typeof import('../../src/global.js') }).millrace
      const engine = await createEngine({ workers: 2 })
      try {
        const { outputs } = await engine.run({
          out: gain(audioBuffer({ data: [new Float32Array(1_000).fill(0.5)], rate: 16_000 }), { gainDb: 0 }),
        })
        return { frames: outputs.out.data.frames, workers: engine.stats().workers.count }
      } finally { await engine.close() }
    }))
    await close()
    expect(got.frames).toBe(1_000)
    expect(got.workers).toBeGreaterThan(0)
  })

  test.each(KINDS)('the file is its own worklet code, %s', async (_, isolated) => {
    const { origin } = await served(servePages({
      isolated, folders: { '/dist/': dist },
      files: { '/': { body: '<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><script src="/dist/millrace.global.js"></script>', type: 'text/html' } },
    }))
    const { page, complaints, close } = await openPage(browser, `${origin}/`)
    const got = await within('the page', page.evaluate(async () => {
      const { createEngine, gain } = (globalThis as unknown as { millrace: typeof import('../../src/global.js') }).millrace
      const engine = await createEngine()
      const context = new OfflineAudioContext(1, 1_280, 48_000)
      const segment = await engine.openWorklet(context, (input) => gain(input, { gainDb: -20 }))
      const source = new ConstantSourceNode(context, { offset: 0.5 })
      source.connect(segment.node as AudioNode).connect(context.destination)
      source.start()
      const samples = (await context.startRendering()).getChannelData(0)
      await segment.ready
      await engine.close()
      return [samples[0]!, samples.at(-1)!]
    }))
    await close()
    expect(got).toEqual([expect.closeTo(0.05, 6), expect.closeTo(0.05, 6)])
    expect(complaints).toEqual([])
  })

  test.each(KINDS)('from another origin with SRI, %s', async (_, isolated) => {
    const code = readFileSync(join(dist, 'millrace.global.js')),
      { origin: cdn } = await served(servePages({ cors: true, files: { '/millrace.global.js': { body: code, type: 'text/javascript' } } }))
    const integrity = (JSON.parse(readFileSync(join(dist, 'sri.json'), 'utf8')) as Record<string, string>)['millrace.global.js']!
    const tag = (hash: string): string => cdnPage()
      .replace('src="../../dist/millrace.global.js"', `src="${cdn}/millrace.global.js" integrity="${hash}" crossorigin="anonymous"`)
    const { origin } = await served(servePages({
      isolated,
      files: { '/': { body: tag(integrity), type: 'text/html' }, '/forged': { body: tag(`sha384-${'A'.repeat(64)}`), type: 'text/html' } },
    }))
    expect((await pick(`${origin}/`)).text).toMatch(one)
    const { page, close } = await openPage(browser, `${origin}/forged`)
    expect(await page.evaluate(() => ({ defined: 'millrace' in globalThis, isolated: crossOriginIsolated })))
      .toEqual({ defined: false, isolated })
    await close()
  })
})

describe.skipIf(!hasChromium).each(KINDS)('module import from another origin, %s', (_, isolated) => {
  test('runs with workers', async () => {
    const { origin: cdn } = await served(servePages({ cors: true, folders: { '/dist/': dist } }))
    const program = `import { createEngine } from '${cdn}/dist/index.js'
import { audioBuffer, gain } from '${cdn}/dist/nodes.js'
globalThis.run = async () => {
  const engine = await createEngine({ workers: 2 })
  try {
    const { outputs } = await engine.run({ out: gain(audioBuffer({ data: [new Float32Array(1_000).fill(0.5)], rate: 16_000 }), { gainDb: 0 }) })
    return { frames: outputs.out.data.frames, mode: engine.stats().mode.mode, started: engine.stats().workers.count > 0 }
  } finally { await engine.close() }
}`
    const { origin } = await site({ isolated, files: { '/program.mjs': { body: program, type: 'text/javascript' } } })
    const { page, complaints, close } = await openPage(browser, `${origin}/`)
    const got = await within('the page', page.evaluate(() => (globalThis as unknown as { run(): Promise<unknown> }).run()))
    await close()
    expect(got).toEqual({ frames: 1_000, mode: isolated ? 'shared' : 'transfer', started: true })
    expect(complaints).toEqual([])
  })
})

describe.skipIf(!hasChromium).each(KINDS)('worklet file, %s', (_, isolated) => {
  test('loads under the strict policy, registers its processor, and a missing one fails', async () => {
    const { origin } =
      await site({ isolated, headers: { 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" } })
    const { page, close } = await openPage(browser, `${origin}/`)
    const got = await within('the page', page.evaluate(async () => {
      const context = new OfflineAudioContext(1, 128, 48_000)
      await context.audioWorklet.addModule('/dist/worklet.js')
      const node = new AudioWorkletNode(context, 'millrace-segment', { processorOptions: { protocol: -1 } })
      const said = await new Promise<{ kind: string; error: EncodedError }>((resolve) => {
        node.port.onmessage = ({ data }) => { resolve(data as never) }
      })
      const absent = await context.audioWorklet.addModule('/absent/worklet.js').then(() => 'loaded', (error: Error) => error.name)
      return { ...said, absent }
    }))
    await close()
    expect(got).toMatchObject({ kind: 'failed', absent: 'AbortError' })
    expect(decodeError(got.error)).toMatchObject({ code: 'PROTOCOL_MISMATCH' })
  })
})
