/**
 * The demo page as it is built, under a sub-path of a static host, with and without isolation headers: every way in,
 * every way out (issue 3 point 5, PK-43, PK-73).
 */
import { AxeBuilder } from '@axe-core/playwright'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEngine } from '../../src/engine/create-engine.js'
import { resample, toPcm16, vad, wavFile, wavWriter } from '../../src/nodes/index.js'
import { hasChromium, openChromium, openPage, type WatchedPage } from '../support/chromium.js'
import { servePages, type PageServer } from '../support/page-server.js'
import { cdnPage } from './built-site.js'
import { toneWav } from './tone-wav.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const talk = readFileSync(join(root, 'examples/talk.wav'))
const tone = { name: 'two tones.wav', mimeType: 'audio/wav', buffer: toneWav(2) }
const text = { name: 'letter.wav', mimeType: 'audio/wav', buffer: Buffer.from('Dear reader, this is no recording.\n'.repeat(9)) }

let browser: Browser
let folder = ''
const sites: Record<'isolated' | 'plain', PageServer> = {} as never
beforeAll(async () => {
  if (!hasChromium) return
  folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  await build({
    configFile: join(root, 'demo/vite.config.mjs'), logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, chunkSizeWarningLimit: 1_000 },
  })
  browser = await openChromium({ dist: false })
  sites.isolated = await servePages({ isolated: true, folders: { '/x/y/': folder } })
  sites.plain = await servePages({ folders: { '/x/y/': folder } })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await Promise.all(Object.values(sites).map((site) => site.close()))
  await rm(folder, { recursive: true, force: true })
})

async function open(kind: 'isolated' | 'plain', options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const opened = await openPage(browser, `${sites[kind].origin}/x/y/`, options)
  await until(opened.page, '#status', /^Ready/)
  return opened
}

/** Waits until an element's text is as wanted. */
async function until(page: Page, selector: string, wanted: RegExp): Promise<string> {
  await expect.poll(() => page.locator(selector).textContent(), { timeout: 15_000 }).toMatch(wanted)
  return await page.locator(selector).textContent() ?? ''
}

/** What the engine itself makes of a file, in Node. */
async function engineSays(bytes: Uint8Array, threshold = 0.02): Promise<{ segments: string[]; wav: Buffer }> {
  const engine = await createEngine({ workers: 0 })
  try {
    const speech = resample(wavFile(new Uint8Array(bytes)), { rate: 16_000, quality: 'high' })
    const { outputs } = await engine.run({ segments: vad(speech, { threshold, frameMs: 30 }).segments, wav: wavWriter(toPcm16(speech)) })
    const seconds = (frames: number): string => (frames / 16_000).toFixed(2)
    return {
      segments: outputs.segments.data.map(({ from, to = from }) => `${seconds(from)} – ${seconds(to)} s`),
      wav: Buffer.from(outputs.wav.data),
    }
  } finally { await engine.close() }
}

async function download(page: Page): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()])
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
}

describe.skipIf(!hasChromium)('demo', () => {
  test.each(['isolated', 'plain'] as const)('%s: the sample shows what the engine finds, and downloads its bytes', async (kind) => {
    const { page, complaints, close } = await open(kind), expected = await engineSays(talk)
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(kind === 'isolated')
    expect(await page.locator('#status').textContent())
      .toContain(kind === 'isolated' ? 'wasm-threads, shared memory' : 'wasm, transfer memory')
    // The remark on the tier outlives a file that fails.
    await page.locator('#file').setInputFiles(text)
    await until(page, '#error', /./)
    await page.locator('#sample').click()
    await until(page, '#status', /^talk\.wav: done/)
    expect(expected.segments.length).toBeGreaterThan(1)
    expect(await page.locator('#segments button').allTextContents()).toEqual(expected.segments)
    expect(await page.locator('#plan').textContent()).toMatch(/^plan .*\n[^]*audio::resample/)
    expect(await page.locator('#metrics tbody tr').count()).toBeGreaterThanOrEqual(5)
    // Without headers the page says why it is on the slower tier.
    expect(await page.locator('#notes').allTextContents())
      .toEqual([kind === 'isolated' ? '' : expect.stringContaining('Cross-Origin-Opener-Policy')])
    const got = await download(page)
    expect(got.name).toBe('talk-16k.wav')
    expect(got.bytes.equals(expected.wav)).toBe(true)
    expect(sites[kind].log.filter((line) => line.startsWith('404'))).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  test('a picked file, a dropped file, a file that is no WAV, and back', async () => {
    const { page, complaints, close } = await open('isolated')
    await page.locator('#file').setInputFiles(tone)
    await until(page, '#summary', /^2 segments, 0\.6 of 2\.0 s$/)
    // The second tone lies between borders of the detector's 30 ms grid: 43 · 30 ms and 54 · 30 ms.
    expect(await page.locator('#segments button').allTextContents()).toEqual(['0.30 – 0.60 s', '1.29 – 1.62 s'])

    await page.locator('#file').setInputFiles(text)
    expect(await until(page, '#error', /./)).toMatch(/^FILE_INVALID.*letter\.wav: expected .*got "Dear"/)
    expect(await page.locator('#error').isVisible()).toBe(true)
    expect(await page.locator('#result').isVisible()).toBe(false)

    const transfer = await page.evaluateHandle((bytes) => {
      const data = new DataTransfer()
      data.items.add(new File([Uint8Array.from(bytes)], 'dropped.wav', { type: 'audio/wav' }))
      return data
    }, [...toneWav(1)])
    await page.locator('main').dispatchEvent('dragenter', { dataTransfer: transfer })
    expect(await page.locator('#veil').isVisible()).toBe(true)
    await page.locator('main').dispatchEvent('drop', { dataTransfer: transfer })
    await until(page, '#status', /^dropped\.wav: done/)
    expect(await page.locator('#veil').isVisible()).toBe(false)
    expect(await page.locator('#error').isVisible()).toBe(false)
    expect(await page.locator('#summary').textContent()).toBe('1 segment, 0.3 of 1.0 s')
    expect(complaints).toEqual([])
    await close()
  })

  test('a stereo file: one wave, its own length, segments in their places, mono audio out', async () => {
    const { page, complaints, close } = await open('plain')
    await page.locator('#file').setInputFiles({ ...tone, name: 'stereo.wav', buffer: toneWav(1, 2) })
    await until(page, '#summary', /^1 segment, 0\.3 of 1\.0 s$/)
    expect(await page.locator('#segments button').allTextContents()).toEqual(['0.30 – 0.60 s'])
    expect(await page.locator('#wave').getAttribute('aria-valuemax')).toBe('1.00')
    // Where the wave is half its height or more: the stretch of the tone and no other.
    const inked = await page.locator('#wave').evaluate((node) => {
      const canvas = node as HTMLCanvasElement, probe = document.createElement('canvas').getContext('2d')!
      probe.fillStyle = getComputedStyle(canvas).getPropertyValue('--wave')
      probe.fillRect(0, 0, 1, 1)
      const [r, g, b] = probe.getImageData(0, 0, 1, 1).data
      const row = canvas.getContext('2d')!.getImageData(0, Math.round(canvas.height / 4), canvas.width, 1).data
      return Array.from({ length: canvas.width }, (_, x) => x)
        .filter((x) => row[x * 4] === r && row[x * 4 + 1] === g && row[x * 4 + 2] === b).map((x) => x / canvas.width)
    })
    expect(inked[0]).toBeCloseTo(0.3, 1)
    expect(inked.at(-1)).toBeCloseTo(0.6, 1)
    const { bytes } = await download(page), format = bytes.indexOf('fmt ') + 8
    expect([bytes.readUInt16LE(format + 2), bytes.readUInt32LE(format + 4), bytes.readUInt32LE(bytes.indexOf('data') + 4)])
      .toEqual([1, 16_000, 16_000 * 2])
    expect(complaints).toEqual([])
    await close()
  })

  test('an engine that could not start is told, and started by the next file', async () => {
    const { page, close } = await openPage(browser, undefined)
    await page.addInitScript(() => {
      const { Memory } = WebAssembly
      WebAssembly.Memory = function (...given: ConstructorParameters<typeof Memory>) {
        if (sessionStorage.getItem('room') === null) throw new RangeError('no room')
        return new Memory(...given)
      } as never
    })
    await page.goto(`${sites.isolated.origin}/x/y/`)
    await until(page, '#error', /no room|memory/i)
    await page.evaluate(() => { sessionStorage.setItem('room', 'yes') })
    await page.locator('#file').setInputFiles(tone)
    await until(page, '#summary', /^2 segments/)
    await close()
  })

  test('the page with a script tag: an engine that could not start is told, not waited for', async () => {
    const refused = "globalThis.millrace = { createEngine: async () => { throw Object.assign(new Error('no memory'), { code: 'SHARED_MEMORY', hint: 'Close some tabs.' }) } }"
    const site = await servePages({
      files: {
        '/demo/cdn/index.html': { body: cdnPage(), type: 'text/html' },
        '/dist/millrace.global.js': { body: refused, type: 'text/javascript' },
      },
    })
    const { page, complaints, close } = await openPage(browser, `${site.origin}/demo/cdn/index.html`)
    await page.locator('#file').setInputFiles(tone)
    expect(await until(page, '#out', /SHARED_MEMORY/)).toBe('SHARED_MEMORY: no memory\nClose some tabs.')
    expect(complaints).toEqual([])
    await close()
    await site.close()
  })

  test('by keyboard alone: sample, threshold, waveform, a segment', async () => {
    const { page, complaints, close } = await open('isolated')
    const loud = await engineSays(talk, 0.1)
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement!.id)
    const tabTo = async (id: string): Promise<void> => {
      for (let n = 0; n < 40; n++) {
        await page.keyboard.press('Tab')
        if (await focused() === id) return
      }
      throw new Error(`Tab: expected to reach #${id} in 40 steps`)
    }
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('file')
    await tabTo('sample')
    await page.keyboard.press('Enter')
    await until(page, '#status', /^talk\.wav: done/)
    const before = await page.locator('#segments button').allTextContents()
    await tabTo('threshold')
    await page.keyboard.press('End')
    await expect.poll(() => page.locator('#segments button').allTextContents(), { timeout: 10_000 }).toEqual(loud.segments)
    expect(loud.segments).not.toEqual(before)
    expect(await page.locator('#threshold-text').textContent()).toBe('0.100')
    await tabTo('wave')
    const position = (): Promise<number> => page.evaluate(() => (document.getElementById('player') as HTMLAudioElement).currentTime)
    for (const [key, seconds] of [['ArrowRight', 1], ['ArrowRight', 2], ['ArrowLeft', 1], ['Home', 0]] as const) {
      await page.keyboard.press(key)
      await expect.poll(position, { timeout: 5_000 }).toBeCloseTo(seconds, 1)
      await expect.poll(() => page.locator('#wave').getAttribute('aria-valuenow'), { timeout: 5_000 }).toBe(seconds.toFixed(2))
    }
    await page.locator('#segments button').last().press('Enter')
    await expect.poll(position, { timeout: 5_000 }).toBeGreaterThanOrEqual(Number.parseFloat(loud.segments.at(-1)!))
    expect(complaints).toEqual([])
    await close()
  })

  test('a phone: nothing wider than the page, empty, with a result, with an error', async () => {
    const { page, complaints, close } = await open('isolated', { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true })
    const tooWide = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(await tooWide()).toBe(0)
    await page.locator('#sample').tap()
    await until(page, '#status', /^talk\.wav: done/)
    expect(await tooWide()).toBe(0)
    await page.locator('#file').setInputFiles({ ...text, name: `${'long'.repeat(40)}.wav` })
    await until(page, '#error', /./)
    expect(await tooWide()).toBe(0)
    expect(complaints).toEqual([])
    await close()
  })

  test.each(['light', 'dark'] as const)('axe finds nothing, %s: empty, with a result, with an error', async (colorScheme) => {
    const { page, close } = await open('plain', { colorScheme })
    const faults = async (): Promise<string[]> => (await new AxeBuilder({ page }).analyze()).violations
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
    expect(await faults()).toEqual([])
    await page.locator('#sample').click()
    await until(page, '#status', /^talk\.wav: done/)
    expect(await faults()).toEqual([])
    await page.locator('#file').setInputFiles(text)
    await until(page, '#error', /./)
    expect(await faults()).toEqual([])
    await close()
  })
})
