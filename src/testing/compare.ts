import type { PortArray } from '../graph/reference.js'
import type { RunResult } from './stream-run.js'
import type { Track } from './track-builder.js'

/** Differences that a node's declared parity allows, of full scale. */
export interface Tolerance { readonly peak: number; readonly rms: number }

/** Where two runs differ, bit for bit (every NaN is alike); null when they do not. */
export function difference(a: RunResult, b: RunResult, outputs: readonly string[]): string | null {
  for (let index = 0; index < a.tracks.length; index++) {
    const where = trackDifference(a.tracks[index]!, b.tracks[index]!)
    if (where !== null) return `output ${outputs[index]}: ${where}`
  }
  return a.returned === b.returned ? null : `${a.returned} and ${b.returned} frames were returned for output 0`
}

/** As {@link difference}, for one output. */
export function trackDifference(a: Track, b: Track): string | null {
  if (a.frames !== b.frames) return `${a.frames} and ${b.frames} frames`
  for (let channel = 0; channel < a.channels.length; channel++) {
    const x = a.channels[channel]!, y = b.channels[channel]!
    for (let i = 0; i < x.length; i++) if (!Object.is(x[i], y[i])) return `element ${i} of channel ${channel}: ${x[i]} and ${y[i]}`
  }
  return null
}

/**
 * Where two outputs of floats differ by more than is allowed; other dtypes must be equal. Places where either is not finite are left out.
 */
export function tolerantDifference(a: Track, b: Track, { peak, rms }: Tolerance): string | null {
  if (!(a.channels[0] instanceof Float32Array || a.channels[0] instanceof Float64Array)) return trackDifference(a, b)
  if (a.frames !== b.frames) return `${a.frames} and ${b.frames} frames`
  for (let channel = 0; channel < a.channels.length; channel++) {
    const fault = beyond(a.channels[channel]!, b.channels[channel]!, peak, rms)
    if (fault !== null) return `${fault} (channel ${channel})`
  }
  return null
}

function beyond(x: PortArray, y: PortArray, peak: number, rms: number): string | null {
  let sum = 0, worst = 0, at = 0
  for (let i = 0; i < x.length; i++) {
    const error = Math.abs(x[i]! - y[i]!)
    if (!Number.isFinite(error)) continue
    sum += error * error
    if (error > worst) { worst = error; at = i }
  }
  const level = Math.sqrt(sum / Math.max(1, x.length))
  if (worst > peak) return `element ${at} differs by ${worst.toExponential(2)}, ${peak} is declared`
  return level > rms ? `the difference has RMS ${level.toExponential(2)}, ${rms} is declared` : null
}
