/** A stretch of the recording, seconds. */
export interface Stretch { readonly from: number; readonly to: number }

/** Peaks of a recording for drawing: lowest and highest sample of each of `columns` slices, −1…1. */
export function peaksOf(samples: Int16Array, columns: number): Float32Array {
  const peaks = new Float32Array(columns * 2)
  for (let column = 0; column < columns; column++) {
    const from = Math.floor(column * samples.length / columns), to = Math.max(from + 1, Math.floor((column + 1) * samples.length / columns))
    let low = 0, high = 0
    for (let n = from; n < to && n < samples.length; n++) { low = Math.min(low, samples[n]!); high = Math.max(high, samples[n]!) }
    peaks[column * 2] = low / 32_768
    peaks[column * 2 + 1] = high / 32_768
  }
  return peaks
}

/**
 * Draws the waveform with the speech over it, a time scale and the play position. Sharp on any pixel
 * ratio; colours come from the page's style.
 */
export function drawWaveform(
  canvas: HTMLCanvasElement, samples: Int16Array, seconds: number, speech: readonly Stretch[], position: number,
): void {
  const ratio = devicePixelRatio, width = canvas.clientWidth, height = canvas.clientHeight, style = getComputedStyle(canvas)
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const c = canvas.getContext('2d')
  if (!c || seconds === 0) return
  const colour = (name: string): string => style.getPropertyValue(name)
  const x = (t: number): number => t / seconds * width
  const scale = 18, middle = (height - scale) / 2
  c.scale(ratio, ratio)
  for (const { from, to } of speech) {
    c.fillStyle = colour('--speech')
    c.fillRect(x(from), 0, Math.max(1, x(to) - x(from)), height - scale)
    c.fillStyle = colour('--speech-edge')
    c.fillRect(x(from), height - scale - 3, Math.max(1, x(to) - x(from)), 3)
  }
  const peaks = peaksOf(samples, Math.max(1, Math.floor(width)))
  const loudest = peaks.reduce((most, value) => Math.max(most, Math.abs(value)), 0.05)
  c.fillStyle = colour('--wave')
  for (let column = 0; column < peaks.length / 2; column++) {
    const top = middle - peaks[column * 2 + 1]! / loudest * middle * 0.94, bottom = middle - peaks[column * 2]! / loudest * middle * 0.94
    c.fillRect(column, top, 1, Math.max(1, bottom - top))
  }
  drawScale(c, seconds, width, height, x, colour('--soft'))
  c.fillStyle = colour('--accent')
  if (position > 0) c.fillRect(x(position) - 1, 0, 2, height - scale)
}

function drawScale(
  c: CanvasRenderingContext2D, seconds: number, width: number, height: number, x: (t: number) => number, ink: string,
): void {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600].find((s) => s / seconds * width >= 56) ?? 1_800
  c.fillStyle = ink
  c.font = '11px system-ui, sans-serif'
  for (let n = 0; n * step <= seconds; n++) {
    const t = n * step
    const label = t >= 60 ? `${Math.floor(t / 60)}:${String(Math.round(t % 60)).padStart(2, '0')}` : `${Number(t.toFixed(1))} s`
    c.fillRect(x(t), height - 18, 1, 4)
    if (x(t) < width - 28) c.fillText(label, x(t) + 4, height - 5)
  }
}
