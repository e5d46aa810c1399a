import { commonErrors } from '../errors/common-errors.js'
import type { NodeDefinition } from '../graph/node-definition.js'
import type { CompileOptions } from '../kernels/compile.js'
import { difference, tolerantDifference } from './compare.js'
import { checkBadInit } from './checks/bad-init.js'
import { checkExample } from './checks/example-check.js'
import { checkLarge } from './checks/large-check.js'
import { checkParity } from './checks/parity-check.js'
import { checkSettled } from './checks/settled-check.js'
import { checkDenormals, checkLevels, checkNaN, checkSilence, checkTiming } from './checks/signal-checks.js'
import { checkChunking, checkControls, checkFlush, checkInPlace, checkReset, checkRooms, checkState } from './checks/stream-checks.js'
import { conformanceCases, MANY_CHANNELS, type ConformanceCase, type Setup } from './conformance-case.js'
import { conformanceHosts, referenceHost, type ConformanceHost } from './conformance-host.js'
import { FindingLog, type Finding } from './findings.js'
import type { Part } from './part.js'
import { ReferenceRuns } from './reference-runs.js'
import type { RunResult } from './stream-run.js'
import { Subject } from './subject.js'

/** What the suite is told about a node. */
export interface ConformanceOptions {
  /** Ways to set the node up; default one, with default params. Needed for required params. */
  readonly setups?: readonly Setup[]
  /** Random chunkings =1 000, shared by the setups and by the compiled tiers, which run one binary; the `js` tier runs a fiftieth. */
  readonly chunkings?: number
  /** Random Init blocks =10 000, shared by the setups. */
  readonly randomInits?: number
  /** Users' modules by name, as `createEngine({ kernels })` takes them. */
  readonly kernels?: CompileOptions['kernels']
}

/** A definition, or the function that `defineNode` made of it. */
export type Conforming = NodeDefinition | { readonly definition: NodeDefinition }

const JS_PART = 50

/**
 * Runs the whole suite on a node in every tier that this host offers (spec kernels.md, KE-27; audio.md, AU-112), and compares the tiers.
 * Finds: one per check and tier. Never throws for a faulty node; throws `INVALID_ARGUMENT` for a node without kernel and reference.
 * @example const faults = (await conformance(gain)).filter((finding) => !finding.ok)
 */
export async function conformance(node: Conforming, options: ConformanceOptions = {}): Promise<readonly Finding[]> {
  const definition = definitionOf(node)
  const hosts = await conformanceHosts(options.kernels)
  // A node without kernel is its reference in every tier: one is enough.
  const chosen = definition.kernel ? hosts : hosts.filter((host) => !host.compiled)
  const findings: Finding[] = []
  const compiled = chosen.filter((host) => host.compiled)
  const references = new ReferenceRuns(chosen.find((host) => !host.compiled) ?? referenceHost())
  const wholes = compiled.map(() => new Map<string, RunResult>())
  // The reference first: what it gives is what compiled tiers are compared with.
  for (const host of chosen.toReversed()) {
    const first = compiled.indexOf(host)
    findings.push(...reportOf(
      definition, host, options, references,
      host.compiled ? { first, of: compiled.length } : { first: 0, of: 1 },
      wholes[first],
    ))
  }
  return [...findings, ...compareTiers(definition, compiled, wholes, options)]
}

/** The suite in one tier. */
export function conformanceReport(node: Conforming, host: ConformanceHost, options: ConformanceOptions = {}): readonly Finding[] {
  return reportOf(definitionOf(node), host, options, new ReferenceRuns(host.compiled ? referenceHost() : host), { first: 0, of: 1 })
}

/** `wholes`: takes what every case gave in one call. */
function reportOf(
  definition: NodeDefinition, host: ConformanceHost, options: ConformanceOptions, references: ReferenceRuns, part: Part,
  wholes?: Map<string, RunResult>,
): readonly Finding[] {
  const log = new FindingLog(host.tier)
  const setups = options.setups ?? [{}]
  const { cases, refused } = conformanceCases(definition, setups)
  if (cases.length === 0) log.fault('starts', refused[0] ?? 'no case fits the node')
  // The numbers are per node: its setups share them.
  const scale = (host.compiled ? 1 / part.of : 1 / JS_PART) / setups.length
  const chunkings = Math.ceil((options.chunkings ?? 1_000) * scale)
  const randomInits = Math.ceil((options.randomInits ?? 10_000) / setups.length)
  const full = new Set(setups.map((_, index) => cases.find((one) => one.name.startsWith(`setup ${index + 1},`))))
  let taken = 0
  for (const [index, one] of cases.entries()) {
    const subject = start(host, one, log, references, full.has(one) ? 4 : 3)
    if (!subject) continue
    taken++
    wholes?.set(one.name, subject.whole)
    if (subject.whole.faults.length > 0) continue
    if (full.has(one)) guarded(subject, () => { thorough(subject, references, chunkings, randomInits, part) })
    // Compiled tiers run one binary: each takes its share of the other cases, and all of them are compared.
    else if (index % part.of === part.first) guarded(subject, () => { brief(subject, references) })
  }
  if (!log.failed('starts')) {
    log.note('starts', `${taken} cases${refused.length > 0 ? `, ${refused.length} that the ports do not take` : ''}`)
  }
  for (const check of ['status', 'frames', 'counters', 'canaries'] as const) if (!log.failed(check)) log.note(check, 'in every call')
  if (!host.compiled) checkExample(definition, log)
  return log.findings()
}

function definitionOf(node: Conforming): NodeDefinition {
  const definition = 'definition' in node ? node.definition : node
  if (definition.kernel || definition.reference) return definition
  throw commonErrors.INVALID_ARGUMENT({ function: 'conformance', expected: 'a node with a kernel or a reference', got: definition.type })
}

function start(host: ConformanceHost, one: ConformanceCase, log: FindingLog, references: ReferenceRuns, spans: number): Subject | null {
  try {
    return new Subject(host, one, log, references, spans)
  } catch (error) {
    log.fault('starts', `${one.name}: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

/** A check that cannot go on has told why; the next case goes on. */
function guarded(subject: Subject, run: () => void): void {
  try {
    run()
  } catch (error) {
    if (subject.log.findings().every((finding) => finding.ok)) {
      subject.fault('status', error instanceof Error ? `${error.message}` : String(error))
    }
  }
}

function thorough(subject: Subject, references: ReferenceRuns, chunkings: number, randomInits: number, part: Part): void {
  const { host, log } = subject
  const before = host.allocations()
  checkSilence(subject)
  checkSettled(subject)
  checkLevels(subject)
  checkTiming(subject)
  checkNaN(subject, part)
  checkDenormals(subject)
  checkChunking(subject, chunkings, part)
  checkControls(subject, Math.ceil(chunkings / 20))
  checkState(subject)
  checkReset(subject)
  checkLarge(subject)
  checkFlush(subject)
  checkInPlace(subject)
  checkRooms(subject)
  const made = host.allocations() - before
  if (made > 0) subject.fault('allocation', `${made} allocations in compiled code`)
  else if (host.compiled) log.note('allocation', 'none in compiled code')
  checkParity(subject, references)
  checkTag(subject)
  checkBadInit(subject, randomInits)
}

/** Rooms of the flushes of brief chunkings. */
const FLUSH_ROOMS = [7, 256, 1, 256]

/** A node of as many channels out as in lets each of many be heard: what is silent where the others sound was left out. */
function checkDeaf(subject: Subject): void {
  const { inputs, outputs } = subject.kase.spec(1)
  outputs.forEach((port, index) => {
    if (port.kind !== 'audio' || port.channels < MANY_CHANNELS
      || !inputs.every(({ kind, channels }) => kind === 'audio' && channels === port.channels)) {
      return
    }
    const deaf = subject.whole.tracks[index]!.channels.map((samples) => samples.every((value) => value === 0))
    if (deaf.includes(true) && deaf.includes(false)) {
      subject.fault('media', `output ${port.name}: channel ${deaf.indexOf(true)} of ${port.channels} stays silent, others sound`)
    }
  })
}

/** What every rate and channel count gets. */
function brief(subject: Subject, references: ReferenceRuns): void {
  const chunkings = subject.host.compiled ? 4 : 1
  for (let seed = 0; seed < chunkings && !subject.log.failed('media'); seed++) {
    const flushRoom = FLUSH_ROOMS[seed]!, run = subject.run('media', subject.noise, {
      chunks: subject.chunking(seed), offset: seed, flushRoom, watch: seed === 0,
    }, `chunking ${seed}`)
    const where = run.faults.length > 0 ? null : difference(subject.whole, run, subject.kase.outputs)
    if (where !== null) subject.fault('media', `chunking ${seed}, flushed by ${flushRoom} frames, differs from one call at ${where}`)
  }
  if (subject.onlyHere) checkTiming(subject)
  checkDeaf(subject)
  checkParity(subject, references, false)
  subject.log.note(
    'media',
    `${chunkings} chunking${chunkings === 1 ? '' : 's'} at 8, 44.1, 48 and 192 kHz with 1, 2, 6 and 8 channels, where the node takes them`,
  )
}

/** The tag in the state says whose code ran (KE-08). */
function checkTag({ host, whole, log, kase }: Subject): void {
  const own = whole.tag === 'JSRF'
  if (own === host.compiled) log.fault('counters', `${kase.name}: tag ${whole.tag} in tier ${host.tier}`)
}

/** Compiled tiers among each other: one binary, so equal bits where the node is exact, else within its parity. */
function compareTiers(
  definition: NodeDefinition, hosts: readonly ConformanceHost[], wholes: readonly ReadonlyMap<string, RunResult>[],
  options: ConformanceOptions,
): readonly Finding[] {
  const [first, second] = hosts
  if (!first || !second) return []
  const log = new FindingLog(`${first.tier} and ${second.tier}`), parity = definition.parity ?? 'exact'
  for (const { name, outputs } of conformanceCases(definition, options.setups ?? [{}]).cases) {
    const [one, other] = wholes.map((runs) => runs.get(name))
    if (one === undefined && other === undefined) continue
    const where = one === undefined || other === undefined ? 'one of them does not start'
      : parity === 'exact' ? difference(one, other, outputs)
      : one.tracks.map((track, index) => tolerantDifference(track, other.tracks[index]!, parity)).find((found) => found !== null) ?? null
    if (where !== null) log.fault('parity', `${name}: shared and private memory differ: ${where}`)
  }
  log.note('parity', 'shared and private memory give the same')
  return log.findings()
}
