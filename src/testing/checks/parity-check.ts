import { difference, tolerantDifference } from '../compare.js'
import type { ReferenceRuns } from '../reference-runs.js'
import { noise } from '../signals.js'
import type { RunResult } from '../stream-run.js'
import type { Subject } from '../subject.js'

/**
 * Compiled code against the reference (`all` signals, or noise and values beyond the range): equal bits and counters where parity is
 * `exact`, else within the declared difference (AU-08, KE-26).
 */
export function checkParity(subject: Subject, reference: ReferenceRuns, all = true): void {
  const { kase, log, host } = subject
  if (!host.compiled) return
  if (!kase.definition.reference) return log.note('parity', 'the node has no reference')
  const coin = noise(6, 1), parity = kase.definition.parity ?? 'exact'
  const base = noise(31)
  const signals = [
    ['noise', subject.noise], ['step', subject.signal(() => 0.5)], ['impulse', subject.signal((_, __, frame) => frame === 100 ? 0.9 : 0)],
    ['full scale', subject.signal((input, channel, frame) => coin(input, channel, frame) < 0 ? -1 : 1)],
    [
      'beyond full scale, NaN and infinities',
      subject.signal((input, channel, frame) =>
        frame % 97 === 5 ? [Number.NaN, Infinity, -Infinity][frame % 3]! : 2.5 * base(input, channel, frame)),
    ],
  ] as const
  const taken = all ? signals : signals.filter(([name]) => name === 'noise' || name.startsWith('beyond'))
  for (const [name, signal] of taken) {
    const own = subject.run('parity', signal, { chunks: subject.chunking(2) }, name)
    const other = reference.run(kase, name, signal, subject.chunking(5))
    if (own.faults.length > 0) return
    if (other.faults.length > 0) return subject.fault('parity', `${name}: the reference fails: ${other.faults[0]!.detail}`)
    const where = parity === 'exact'
      ? difference(other, own, kase.outputs) ?? counterDifference(other, own)
      : within(other, own, kase.outputs, parity)
    if (where !== null) subject.fault('parity', `${name}: reference and kernel differ: ${where}`)
  }
  log.note('parity', parity === 'exact'
    ? `equal bits and counters on ${taken.length} signals`
    : `within ${parity.peak} peak, ${parity.rms} RMS on ${taken.length} signals`)
}

function counterDifference(a: RunResult, b: RunResult): string | null {
  if (a.nonfinite !== b.nonfinite) return `${a.nonfinite} and ${b.nonfinite} values that are not finite were counted`
  return a.clipped === b.clipped ? null : `${a.clipped} and ${b.clipped} clipped samples were counted`
}

function within(
  a: RunResult, b: RunResult, outputs: readonly string[], parity: { readonly peak: number; readonly rms: number },
): string | null {
  for (let index = 0; index < outputs.length; index++) {
    const where = tolerantDifference(a.tracks[index]!, b.tracks[index]!, parity)
    if (where !== null) return `output ${outputs[index]}: ${where}`
  }
  return null
}
