import { isMillraceError, type Diagnostic, type RunMetrics } from 'millrace'
import sampleUrl from '../../examples/talk.wav?url'
import { findSpeech, openEngine, RATE, type Found, type Settings } from './find-speech.js'
import { drawWaveform, type Stretch } from './waveform.js'

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T
const canvas = element<HTMLCanvasElement>('wave'), player = element<HTMLAudioElement>('player'), form = element<HTMLFormElement>('settings')

let file: { readonly name: string; readonly blob: Blob } | undefined
let running: AbortController | undefined
/** Where a segment that was asked for ends, seconds: playing stops there. */
let until = Infinity
let shown: { readonly samples: Int16Array; readonly seconds: number; readonly speech: readonly Stretch[] } | undefined

function settings(): Settings {
  const values = new FormData(form)
  return {
    threshold: Number(values.get('threshold')), frameMs: Number(values.get('frame')) as Settings['frameMs'],
    quality: String(values.get('quality')) as Settings['quality'],
  }
}

/** Runs the newest file with the newest settings; an older run that is still going is cancelled. */
async function run(): Promise<void> {
  if (!file) return
  running?.abort('a newer run')
  const mine = running = new AbortController(), progress = element<HTMLProgressElement>('progress')
  element('error').hidden = true
  element('notes').hidden = true
  progress.hidden = false
  progress.value = 0
  say(`Reading ${file.name}…`)
  try {
    const found = await findSpeech(file.blob, settings(), mine.signal, (fraction) => { progress.value = fraction })
    if (running === mine) show(found, file.name)
  } catch (error) {
    if (running === mine) showError(error)
  } finally { if (running === mine) progress.hidden = true }
}

function show({ segments, wav, plan, metrics, diagnostics }: Found, name: string): void {
  const samples = samplesOf(wav), seconds = samples.length / RATE
  const speech = segments.filter((s) => s.to !== undefined).map((s): Stretch => ({ from: s.from / RATE, to: s.to! / RATE }))
  shown = { samples, seconds, speech }
  const spoken = speech.reduce((sum, s) => sum + s.to - s.from, 0)
  element('result').hidden = false
  until = Infinity
  element('summary').textContent =
    `${speech.length} segment${speech.length === 1 ? '' : 's'}, ${spoken.toFixed(1)} of ${seconds.toFixed(1)} s`
  canvas.setAttribute('aria-label', `Position in ${name}`)
  canvas.setAttribute('aria-valuemax', seconds.toFixed(2))
  const blob = new Blob([wav as Uint8Array<ArrayBuffer>], { type: 'audio/wav' })
  for (const url of [player.src, element<HTMLAnchorElement>('download').href]) if (url.startsWith('blob:')) URL.revokeObjectURL(url)
  player.src = URL.createObjectURL(blob)
  element<HTMLAnchorElement>('download').href = URL.createObjectURL(blob)
  element<HTMLAnchorElement>('download').download = `${name.replace(/\.wav$/i, '')}-16k.wav`
  element('segments').replaceChildren(...speech.map(segmentItem))
  element('plan').textContent = plan
  showMetrics(metrics)
  showNotes(diagnostics)
  draw()
  const faster = Math.round(seconds * 1e6 / metrics.totalTimeUs)
  say(`${name}: done in ${(metrics.totalTimeUs / 1000).toFixed(0)} ms${faster > 1 ? `, ${faster} times faster than it plays` : ''}.`)
}

/** Samples of a 16-bit mono WAV file: the chunk called `data`, wherever it stands. */
function samplesOf(wav: Uint8Array): Int16Array {
  const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength), data = 0x64617461
  for (let at = 12; at + 8 <= wav.byteLength; at += 8 + view.getUint32(at + 4, true) + view.getUint32(at + 4, true) % 2) {
    if (view.getUint32(at) === data) return new Int16Array(wav.slice(at + 8, at + 8 + view.getUint32(at + 4, true)).buffer)
  }
  return new Int16Array(0)
}

function segmentItem({ from, to }: Stretch): HTMLLIElement {
  const item = document.createElement('li'), button = document.createElement('button')
  button.type = 'button'
  button.textContent = `${from.toFixed(2)} – ${to.toFixed(2)} s`
  button.addEventListener('click', () => { seek(from); until = to; void player.play().catch(() => undefined) })
  item.append(button)
  return item
}

function showNotes(diagnostics: readonly Diagnostic[]): void {
  const notes = diagnostics.filter(({ severity }) => severity === 'warning')
  element('notes').replaceChildren(...notes.map(({ message, hint }) => {
    const item = document.createElement('li')
    item.textContent = `${message} ${hint}`
    return item
  }))
  element('notes').hidden = notes.length === 0
}

function showMetrics(metrics: RunMetrics): void {
  const head = ['node', 'type', 'tier', 'where', 'ms', 'calls', 'frames', 'copied']
  const rows = metrics.nodes.map((node) => [
    node.id, node.type, node.tier, node.worker < 0 ? node.where : `worker ${node.worker}`, (node.executionTimeUs / 1000).toFixed(2),
    String(node.kernelCalls), String(node.framesOut), String(node.copyBytes),
  ])
  const row = (cells: readonly string[], tag: 'th' | 'td'): HTMLTableRowElement => {
    const line = document.createElement('tr')
    line.append(...cells.map((text, i) => {
      const cell = document.createElement(tag)
      cell.textContent = text
      if (i >= 4) cell.className = 'number'
      if (tag === 'th') (cell as HTMLTableCellElement).scope = 'col'
      return cell
    }))
    return line
  }
  const thead = document.createElement('thead'), tbody = document.createElement('tbody')
  thead.append(row(head, 'th'))
  tbody.append(...rows.map((cells) => row(cells, 'td')))
  element('metrics').replaceChildren(thead, tbody)
  element('totals').textContent =
    `${(metrics.totalTimeUs / 1000).toFixed(1)} ms in all, ${metrics.workers.count} workers, ${(metrics.peakMemoryBytes / 1_048_576).toFixed(1)} MiB of arena at most, ${metrics.copyBytes} bytes copied.`
}

function showError(error: unknown): void {
  const box = element('error'), title = document.createElement('strong')
  title.textContent = isMillraceError(error) ? error.code : 'Error'
  box.replaceChildren(title, isMillraceError(error) ? `${error.message} ${error.hint}` : String(error))
  box.hidden = false
  element('result').hidden = true
  shown = undefined
  say('')
}

function say(text: string): void { element('status').textContent = text }
function draw(): void {
  if (!shown) return
  canvas.setAttribute('aria-valuenow', player.currentTime.toFixed(2))
  canvas.setAttribute('aria-valuetext', `${player.currentTime.toFixed(1)} of ${shown.seconds.toFixed(1)} seconds`)
  drawWaveform(canvas, shown.samples, shown.seconds, shown.speech, player.currentTime)
}
function take(next: File | undefined): void {
  if (!next) return
  file = { name: next.name, blob: next }
  void run()
}
function seek(seconds: number): void {
  if (!shown) return
  until = Infinity
  player.currentTime = Math.max(0, Math.min(shown.seconds, seconds))
  draw()
}

element<HTMLInputElement>('file').addEventListener('change', (event) => {
  const input = event.target as HTMLInputElement
  take(input.files?.[0])
  // The same file may be chosen again, after an edit.
  input.value = ''
})
element('sample').addEventListener('click', () => {
  void fetch(sampleUrl).then((response) => response.blob()).then((blob) => { file = { name: 'talk.wav', blob }; return run() })
    .catch(showError)
})
form.addEventListener('input', () => {
  element('threshold-text').textContent = settings().threshold.toFixed(3)
  void run()
})
form.addEventListener('submit', (event) => { event.preventDefault() })
canvas.addEventListener('pointerdown', (event) => { if (shown) seek(event.offsetX / canvas.clientWidth * shown.seconds) })
canvas.addEventListener('keydown', (event) => {
  const to = { ArrowLeft: player.currentTime - 1, ArrowRight: player.currentTime + 1, Home: 0, End: shown?.seconds ?? 0 }[event.key]
  if (to !== undefined) { event.preventDefault(); seek(to) }
  if (event.key === ' ') { event.preventDefault(); if (player.paused) void player.play().catch(() => undefined); else player.pause() }
})
player.addEventListener('timeupdate', () => { if (player.currentTime >= until) { player.pause(); until = Infinity } })
for (const name of ['timeupdate', 'seeked']) player.addEventListener(name, draw)
addEventListener('resize', draw)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)

let inside = 0
addEventListener('dragenter', (event) => { event.preventDefault(); inside++; element('veil').hidden = false })
addEventListener('dragleave', () => { if (--inside <= 0) { inside = 0; element('veil').hidden = true } })
addEventListener('dragover', (event) => { event.preventDefault() })
addEventListener('drop', (
  event,
) => { event.preventDefault(); inside = 0; element('veil').hidden = true; take(event.dataTransfer?.files[0]) })

openEngine().then((engine) => {
  const { mode } = engine.stats()
  say(`Ready: tier ${mode.tier}, ${mode.mode} memory. Choose a file, or use the sample.`)
}, showError)
