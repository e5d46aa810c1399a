import { createEngine, printPlan, type Diagnostic, type Engine, type RunMetrics, type SegmentEvent } from 'millrace'
import { channels, resample, toPcm16, vad, wavFile, wavWriter } from 'millrace/nodes'

/** What the page lets people set. */
export interface Settings {
  readonly threshold: number
  readonly frameMs: 10 | 20 | 30
  readonly quality: 'low' | 'medium' | 'high' | 'best'
}
/** Everything that the page shows. Positions in frames at 16 kHz; `wav` is mono. */
export interface Found {
  readonly segments: readonly SegmentEvent[]
  readonly wav: Uint8Array
  readonly plan: string
  readonly metrics: RunMetrics
  /** What the engine remarks on this file: a shortened data chunk, a slower tier. */
  readonly diagnostics: readonly Diagnostic[]
}

export const RATE = 16_000
let engine: Promise<Engine> | undefined
/** Remarks on the engine itself, which it makes once: they hold for every file. */
let lasting: readonly Diagnostic[] = []

/** The page's one engine; its workers start when a file is worth it. A start that failed is tried again by the next call. */
export function openEngine(): Promise<Engine> {
  return engine ??= createEngine().catch((error: unknown) => {
    engine = undefined
    throw error
  })
}

/** Runs the graph on a file's bytes. Rejects with a coded error; a newer call aborts an older one by its signal. */
export async function findSpeech(
  file: Blob, settings: Settings, signal: AbortSignal, onProgress: (fraction: number) => void,
): Promise<Found> {
  const ready = await openEngine()
  // One channel from the start: what is drawn, played and searched is the same signal.
  const speech = resample(channels(wavFile(file), { to: 1, mode: 'mean' }), { rate: RATE, quality: settings.quality })
  const graph = {
    segments: vad(speech, { threshold: settings.threshold, frameMs: settings.frameMs }).segments,
    wav: wavWriter(toPcm16(speech)),
  }
  const plan = await ready.plan(graph, { signal })
  const ofTier = ({ code }: Diagnostic): boolean => code === 'TIER_FALLBACK'
  lasting = [...lasting, ...plan.diagnostics.filter(ofTier)]
  const { outputs, metrics, diagnostics } = await ready.run(graph, { signal, onProgress: ({ fraction }) => { onProgress(fraction) } })
  return {
    segments: outputs.segments.data, wav: outputs.wav.data, plan: printPlan(plan), metrics,
    diagnostics: [...lasting, ...plan.diagnostics.filter((d) => !ofTier(d)), ...diagnostics],
  }
}
