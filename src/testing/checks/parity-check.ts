import { difference, tolerantDifference } from '../compare.js'
import type { ConformanceHost } from '../conformance-host.js'
import { noise } from '../signals.js'
import { runStream, type RunResult } from '../stream-run.js'
import type { Subject } from '../subject.js'

/** Compiled code against the reference: equal bits and counters where parity is `exact`, else within the declared difference (AU-08, KE-26). */
export function checkParity(subject: Subject, reference: ConformanceHost): void {
  const { kase, log, host } = subject
  if (!host.compiled) return
  if (!kase.definition.reference) return log.note('parity', 'the node has no reference')
  const coin = noise(6, 1), parity = kase.definition.parity ?? 'exact'
  const base = noise(31)
  const signals = [
    ['noise', subject.noise], ['step', subject.signal(() => 0.5)], ['impulse', subject.signal((_, __, frame) => frame === 100 ? 0.9 : 0)],
    ['full scale', subject.signal((input, channel, frame) => coin(input, channel, frame) < 0 ? -1 : 1)],
    ['beyond full scale, NaN and infinities', subject.signal((input, channel, frame) => frame % 97 === 5 ? [Number.NaN, Infinity, -Infinity][frame % 3]! : 2.5 * base(input, channel, frame))],
  ] as const
  for (const [name, signal] of signals) {
    const own = subject.run('parity', signal, { chunks: subject.chunking(2) }, name)
    const other = runStream(reference, kase, signal, { chunks: subject.chunking(5) })
    if (own.faults.length > 0) return
    if (other.faults.length > 0) return subject.fault('parity', `${name}: the reference fails: ${other.faults[0]!.detail}`)
    const where = parity === 'exact' ? difference(other, own, kase.outputs) ?? counterDifference(other, own) : within(other, own, kase.outputs, parity)
    if (where !== null) subject.fault('parity', `${name}: reference and kernel differ: ${where}`)
  }
  log.note('parity', parity === 'exact' ? 'equal bits and counters on 5 signals' : `within ${parity.peak} peak, ${parity.rms} RMS on 5 signals`)
}

function counterDifference(a: RunResult, b: RunResult): string | null {
  if (a.nonfinite !== b.nonfinite) return `${a.nonfinite} and ${b.nonfinite} values that are not finite were counted`
  return a.clipped === b.clipped ? null : `${a.clipped} and ${b.clipped} clipped samples were counted`
}

function within(a: RunResult, b: RunResult, outputs: readonly string[], parity: { readonly peak: number; readonly rms: number }): string | null {
  for (let index = 0; index < outputs.length; index++) {
    const where = tolerantDifference(a.tracks[index]!, b.tracks[index]!, parity)
    if (where !== null) return `output ${outputs[index]}: ${where}`
  }
  return null
}
