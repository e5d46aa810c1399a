/**
 * Question: how long does a cold one-shot script take to its first result, and a page (issue 3, PK-17)? Hypothesis: little more than the
 * host's own start; import, engine, modules and the job on 2.3 s of speech together below 100 ms in Node, and no more in a page. Needs
 * `npm run build`: what is measured is what users get.
 */
import { bench, type BenchContext } from './support/bench.js'

const ROUNDS = 8
const CHAIN = `
  const engine = await createEngine()
  const speech = resample(wavFile(file), { rate: 16000, quality: 'high' })
  const mark = performance.now()
  const { outputs } = await engine.run({ segments: vad(speech).segments, pcm: toPcm16(speech) })
  const found = outputs.segments.data.length, end = performance.now()`
/** What the script tells: ms since the process or the navigation began. */
interface Marks { readonly begin: number; readonly imported: number; readonly engine: number; readonly end: number; readonly found: number }

const scripts = {
  'millrace': `
    const begin = performance.now()
    const { createEngine } = await import(at + '/dist/index.js'), { resample, toPcm16, vad, wavFile } = await import(at + '/dist/nodes.js')
    const imported = performance.now(), file = 'examples/talk.wav'
    ${CHAIN}
    console.log(JSON.stringify({ begin, imported, engine: mark, end, found }))
    process.exit(0)`,
  'npm: speex SIMD, energy loop': `
    const begin = performance.now()
    const { readFileSync } = await import('node:fs'), { default: create } = await import('@echogarden/speex-resampler-wasm/simd')
    const imported = performance.now(), speex = await create(), mark = performance.now()
    const wav = readFileSync('examples/talk.wav'), bytes = wav.subarray(wav.indexOf('data') + 8), x = new Float32Array(bytes.length >> 1)
    for (let n = 0; n < x.length; n++) x[n] = bytes.readInt16LE(2 * n) / 32768
    const room = Math.ceil(x.length * 16000 / 22050) + 64, a = speex._malloc(4 * x.length), z = speex._malloc(4 * room), counts = speex._malloc(12)
    const state = speex._speex_resampler_init(1, 22050, 16000, 5, counts + 8)
    speex.HEAPF32.set(x, a >> 2)
    speex.HEAP32[counts >> 2] = x.length
    speex.HEAP32[(counts >> 2) + 1] = room
    speex._speex_resampler_process_float(state, 0, a, counts, z, counts + 4)
    const y = speex.HEAPF32.slice(z >> 2, (z >> 2) + speex.HEAP32[(counts >> 2) + 1]), pcm = Int16Array.from(y, (v) => Math.max(-32768, Math.min(32767, Math.round(v * 32768))))
    let found = 0, before = false
    for (let at = 0; at + 480 <= y.length; at += 480) {
      let sum = 0
      for (let n = at; n < at + 480; n++) sum += y[n] * y[n]
      const speech = sum > 0.02 * 0.02 * 480
      if (speech && !before) found++
      before = speech
    }
    console.log(JSON.stringify({ begin, imported, engine: mark, end: performance.now(), found, kept: pcm.length }))`,
  'empty script': `console.log(JSON.stringify({ begin: 0, imported: 0, engine: 0, end: performance.now(), found: 0 }))`,
}

export const firstResult = bench('first-result', async (b) => {
  const { spawnSync } = await import('node:child_process')
  const { existsSync, mkdirSync, writeFileSync } = await import('node:fs')
  const { pathToFileURL } = await import('node:url')
  if (!existsSync('dist/index.js')) throw new Error('dist/index.js: expected the built package, got none. Run `npm run build`.')
  mkdirSync('.cache/bench', { recursive: true })
  const told = new Map<string, Marks[]>(), runs: Record<string, () => void> = {}
  Object.entries(scripts).forEach(([name, source], i) => {
    const path = `.cache/bench/first-${i}.mjs`
    writeFileSync(path, `const at = ${JSON.stringify(pathToFileURL(process.cwd()).href)}\n${source}\n`)
    told.set(name, [])
    runs[name] = () => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [path], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`${name}: ${stderr}`)
      told.get(name)!.push(JSON.parse(stdout) as Marks)
    }
  })
  await b.compare('whole process, cold, examples/talk.wav → segments and 16 kHz 16 bit', runs, { rounds: ROUNDS, roundMs: 1 })
  const ends = [...told].map(([name, marks]) => { tell(b, `Node, ${name}`, marks); return median(marks.map((m) => m.end)) })
  b.note(`over an empty script: millrace ${(ends[0]! - ends[2]!).toFixed(1)} ms, npm parts ${(ends[1]! - ends[2]!).toFixed(1)} ms; segments ${told.get('millrace')![0]!.found} and ${told.get('npm: speex SIMD, energy loop')![0]!.found}`)
}, ['node'])

const page = {
  'modules': `<!doctype html><script type="module">
    const begin = performance.now()
    import('/dist/index.js').then(async ({ createEngine }) => {
      const { resample, toPcm16, vad, wavFile } = await import('/dist/nodes.js'), imported = performance.now(), file = '/examples/talk.wav'
      ${CHAIN}
      globalThis.marks = { begin, imported, engine: mark, end, found }
    }).catch((error) => { globalThis.marks = String(error) })
  </script>`,
  'script tag': `<!doctype html><script>globalThis.begin = performance.now()</script><script src="/dist/millrace.global.js"></script><script>(async () => {
      const { createEngine, resample, toPcm16, vad, wavFile } = millrace, imported = performance.now(), file = '/examples/talk.wav'
      ${CHAIN}
      globalThis.marks = { begin, imported, engine: mark, end, found }
    })().catch((error) => { globalThis.marks = String(error) })
  </script>`,
  'empty page': `<!doctype html><script>globalThis.marks = { begin: 0, imported: 0, engine: 0, end: performance.now(), found: 0 }</script>`,
}

export const firstResultInPage = bench('first-result-page', async (b) => {
  const { createServer } = await import('node:http')
  const { existsSync, readFileSync } = await import('node:fs')
  const { chromium } = await import('playwright')
  const executablePath = [
    process.env['MILLRACE_CHROMIUM'], chromium.executablePath(), '/usr/bin/chromium', '/usr/bin/chromium-browser',
  ].find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) { b.note('no Chromium: set MILLRACE_CHROMIUM'); return }
  const pages = Object.entries(page)
  const server = createServer((request, response) => {
    const path = decodeURI(request.url ?? '/').slice(1), found = pages.find(([name]) => name === path)
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    response.setHeader('Content-Type', found ? 'text/html' : path.endsWith('.js') ? 'text/javascript' : 'audio/wav')
    if (found) response.end(found[1])
    else if (/^(dist|examples)\/[\w./-]+$/.test(path) && !path.includes('..') && existsSync(path)) response.end(readFileSync(path))
    else { response.statusCode = 404; response.end() }
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const { port } = server.address() as { port: number }
  const browser =
    await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox', '--disable-gpu'] : ['--disable-gpu'] })
  const told = new Map<string, Marks[]>(pages.map(([name]) => [name, []])), runs: Record<string, () => Promise<void>> = {}
  for (const [name] of pages) {
    runs[name] = async () => {
      // A context of its own: nothing of the page before is cached, neither bytes nor compiled code.
      const context = await browser.newContext(), tab = await context.newPage()
      await tab.goto(`http://127.0.0.1:${port}/${encodeURI(name)}`)
      const marks = await (await tab.waitForFunction(() => (globalThis as { marks?: unknown }).marks)).jsonValue() as Marks | string
      await context.close()
      if (typeof marks === 'string') throw new Error(`${name}: ${marks}`)
      told.get(name)!.push(marks)
    }
  }
  await b.compare('new context, page, examples/talk.wav → segments and 16 kHz 16 bit', runs, { rounds: ROUNDS, roundMs: 1 })
  for (const [name, marks] of told) tell(b, `Chromium ${browser.version()}, ${name}`, marks)
  await browser.close()
  server.close()
}, ['node'])

function tell(b: BenchContext, name: string, marks: readonly Marks[]): void {
  const of = (pick: (m: Marks) => number): string => {
    const all = marks.map(pick).sort((p, q) => p - q)
    return `${median(all).toFixed(1)} (least ${all[0]!.toFixed(1)})`
  }
  b.note(`${name}: result ${of((m) => m.end)} ms after the start, ${of((m) => m.end - m.begin)} ms after import began: import ${of((m) => m.imported - m.begin)}, engine ${of((m) => m.engine - m.imported)}, run ${of((m) => m.end - m.engine)}`)
}

function median(values: readonly number[]): number { return [...values].sort((p, q) => p - q)[values.length >> 1]! }
