import { commonErrors } from '../errors/common-errors.js'
import { decodeError } from '../errors/codec.js'
import { show } from '../errors/show.js'
import type { AnyHandle, AnyOutput } from '../graph/output-ref.js'
import type { Outputs } from '../graph/graph-from.js'
import { graphErrors } from '../graph/errors.js'
import { compileModules } from '../kernels/compile.js'
import { moduleBytes } from '../kernels/module-bytes.js'
import type { AudioMedia } from '../media/media-type.js'
import { arenaBytesOf, MIN_ARENA_BYTES } from '../memory/config.js'
import { audioBuffer } from '../nodes/io/audio-buffer.js'
import type { CompiledPlan } from '../schedule/compiled-plan.js'
import { heldSeconds } from '../graph/resolve/held.js'
import type { SegmentPlan } from '../schedule/segment-plan.js'
import { workerErrors } from '../workers/errors.js'
import { SEGMENT_PROCESSOR, WORKER_PROTOCOL, type KernelBinding, type ProcessorEvent } from '../workers/protocol.js'
import type { QuantumOptions } from '../workers/segment-quantum.js'
import { workerCode } from '../workers/worker-code.js'
import type { EngineParts } from './engine-parts.js'

/** What is used of an AudioContext or OfflineAudioContext. */
export interface WorkletContext { readonly sampleRate: number; readonly audioWorklet: { addModule(url: string): Promise<void> } }

/** AudioWorkletNode where the program's types know it, so that declarations can be read without the DOM's. */
export type WorkletNode = typeof globalThis extends { AudioWorkletNode: { prototype: infer T } } ? T : object

/** Options of `engine.openWorklet`. */
export interface WorkletOptions {
  /** Channels of the input, 1…32 (an AudioWorklet has no more); default 1. What is connected is mixed to them by the rules of Web Audio. */
  readonly channels?: number
  /** Memory of the processor's own, bytes; default 16 MiB. */
  readonly arenaBytes?: number
}

/** A segment that runs in an audio context. */
export interface WorkletSegment {
  /** To be connected: one input, one output. */
  readonly node: WorkletNode
  /** Resolves when the processor has its kernels; some hosts start it with the rendering only. Rejects with `DRIVER_ERROR`. */
  readonly ready: Promise<void>
  /** Resolves after `close`; rejects with `DRIVER_ERROR` when the processor failed: it is silent then (PK-56). */
  readonly ended: Promise<void>
  /** Ends the processor. Idempotent. */
  close(): void
}

/** Most channels of an AudioWorkletNode. */
const MOST_CHANNELS = 32

/** The source that stands for what is connected to the node. */
export type WorkletInput = ReturnType<typeof audioBuffer>

/** Contexts that have Millrace's code, and where it came from. A name can be registered once in a context, whatever the engine. */
const loaded = new WeakMap<WorkletContext, { readonly from: string; readonly done: Promise<void> }>()

/**
 * Brings Millrace's processor into an audio context: the inlined code as a Blob, or the file of `workletURL`, which is used or fails
 * (PK-03, PK-54). Once per context. Throws `INVALID_ARGUMENT`, `UNSUPPORTED` where a page has no worklets, `CONFIG_INVALID` for a context
 * that has another copy, `NETWORK` when the code does not load.
 */
export function addWorklet({ options }: EngineParts, context: WorkletContext): Promise<void> {
  if (typeof context !== 'object' || context === null || !('sampleRate' in context)) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'engine.addWorklet', expected: 'an AudioContext or OfflineAudioContext', got: show(context),
    })
  }
  if (typeof context.audioWorklet?.addModule !== 'function') {
    throw commonErrors.UNSUPPORTED({
      feature: 'AudioWorklet', runtime: 'this page', alternative: 'Serve the page by https, or from localhost.',
    })
  }
  const from = options.workletURL === undefined ? 'the inlined copy' : String(options.workletURL), known = loaded.get(context)
  if (known !== undefined && known.from !== from) {
    throw commonErrors.CONFIG_INVALID({ key: 'workletURL', source: 'option', expected: `${known.from}, which the context has`, got: from })
  }
  if (known !== undefined) return known.done
  const done = load(context, options.workletURL)
  // Another try may go better.
  done.catch(() => loaded.delete(context))
  loaded.set(context, { from, done })
  return done
}

async function load(context: WorkletContext, given: string | URL | undefined): Promise<void> {
  const url = given === undefined ? URL.createObjectURL(new Blob([await workerCode(false)], { type: 'text/javascript' })) : String(given)
  try { await context.audioWorklet.addModule(url) } catch (cause) {
    throw commonErrors.NETWORK({
      host: `Worklet ${given === undefined ? 'code' : url}`,
      reason: `did not load (${cause instanceof Error ? cause.message : String(cause)})`,
      hint: given === undefined
        ? 'Content security policy? Allow `script-src blob:` or set workletURL.'
        : 'Serve the file of millrace/worklet there.',
    }, { cause })
  } finally { if (given === undefined) URL.revokeObjectURL(url) }
}

/**
 * Runs one segment of kernels inside an audio context, a render quantum at a time, in a memory of the processor's own (PK-55): `build` gets
 * what is connected to the node and gives what the node puts out. Throws what `addWorklet` throws, what planning throws, `TIER_UNAVAILABLE`
 * for nodes that are to run in another tier than `wasm`, and `INVALID_ARGUMENT` for a graph that is no single segment from the input to the
 * output at the context's rate.
 */
export async function openWorklet(
  parts: EngineParts, compile: (target: Outputs) => Promise<CompiledPlan>, context: WorkletContext,
  build: (input: WorkletInput) => AnyOutput | AnyHandle, options: WorkletOptions = {},
): Promise<WorkletSegment> {
  if (typeof options !== 'object' || options === null) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'engine.openWorklet', expected: 'options', got: show(options) })
  }
  const { channels = 1, arenaBytes = MIN_ARENA_BYTES } = options
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= MOST_CHANNELS)) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'engine.openWorklet channels', expected: `1…${MOST_CHANNELS}`, got: show(channels) })
  }
  if (typeof build !== 'function') {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'engine.openWorklet', expected: 'a function from the input to the output', got: show(build),
    })
  }
  await addWorklet(parts, context)
  const input = audioBuffer({ data: Array.from({ length: channels }, () => new Float32Array(0)), rate: context.sampleRate })
  const { plan, media, holdFrames } = segmentOf(await compile({ out: build(input) }), context.sampleRate)
  const { wasm, kernels } = parts.options, from = { shared: false, wasm, kernels }
  const processorOptions: QuantumOptions = {
    protocol: WORKER_PROTOCOL, modules: (await compileModules(from)).modules, kernels: bindings(plan), plan, holdFrames,
    arenaBytes: arenaBytesOf(arenaBytes),
  }
  const shape: AudioWorkletNodeOptions = {
    numberOfInputs: 1, numberOfOutputs: 1, channelCount: channels, channelCountMode: 'explicit', outputChannelCount: [media.channels],
  }
  const make = (own: QuantumOptions): WorkletSegment =>
    watched(new AudioWorkletNode(context as BaseAudioContext, SEGMENT_PROCESSOR, { ...shape, processorOptions: own }))
  try {
    try { return make(processorOptions) } catch (error) {
      // A host that clones no modules into a worklet gets their bytes.
      if (!(error instanceof DOMException && error.name === 'DataCloneError')) throw error
      return make({ ...processorOptions, modules: await moduleBytes(from) })
    }
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause
    throw workerErrors.DRIVER_ERROR({ driver: 'worklet', cause: cause.message }, { cause })
  }
}

/**
 * The one segment of a plan, the media that it puts out, and how far it may lag. A worklet has a memory of its own: its tier is `wasm`.
 * Throws `TIER_UNAVAILABLE`, and `INVALID_ARGUMENT` for what cannot run quantum by quantum.
 */
function segmentOf(
  { segments, nodes, removed, outputs, media }: CompiledPlan, rate: number,
): { readonly plan: SegmentPlan; readonly media: AudioMedia; readonly holdFrames: number } {
  const plan = segments[0], out = outputs.get('out')!, made = media.get(out)
  const other = segments.find(({ tier }) => tier !== 'wasm')
  if (other !== undefined) {
    throw graphErrors.TIER_UNAVAILABLE({ node: other.nodes[0]!.spec.nodeId, wanted: other.tier, missing: ['a worklet of that tier'] })
  }
  const inside = new Set(segments.flatMap((segment) => segment.nodes.map(({ node }) => node)))
  const outside = nodes.find(({ id, index, definition }) => !inside.has(index) && !removed.has(id) && definition !== audioBuffer.definition)
  const got = outside !== undefined ? `node ${outside.id} (${outside.definition.type}), which is no kernel`
    : plan === undefined || plan.buffers.every(({ kind }) => kind !== 'output') ? 'nothing that changes it'
    : segments.length > 1 ? `${segments.length} segments`
    : made?.kind !== 'audio' || made.rate !== rate || made.format !== 'f32' || made.layout !== 'planar' ? show(made)
    : made.channels > MOST_CHANNELS ? `${made.channels} channels`
    : plan.buffers.filter(({ kind }) => kind === 'input').length > 1
      || plan.buffers.some(({ kind, value, readers }) => kind === 'output' && (value !== out || readers.length > 0))
      ? 'one with several streams'
      : undefined
  if (got !== undefined) {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'engine.openWorklet',
      expected: `one segment of kernels from the input to planar f32 audio at ${rate} Hz`,
      got,
    })
  }
  // Seconds by which each buffer may lag, along its slowest path.
  const late: number[] = []
  for (const { node, inputs, driven = [], outputs: own } of plan!.nodes) {
    const most = Math.max(0, ...[...inputs, ...driven.map(({ buffer }) => buffer)].map((b) => late[b] ?? 0)) + heldSeconds(nodes[node]!)
    for (const b of own) if (b >= 0) late[b] = most
  }
  return {
    plan: plan!, media: made as AudioMedia,
    holdFrames: Math.ceil(late[plan!.buffers.findIndex(({ kind }) => kind === 'output')]! * rate),
  }
}

/** Numbers of the kernels, for the processor's own table. */
function bindings(plan: SegmentPlan): KernelBinding[] {
  const names = new Map(plan.nodes.map(({ spec }) => [`${spec.module}.${spec.export}`, { module: spec.module, name: spec.export }]))
  return [...names.values()].map((kernel, id) => ({ id, ...kernel }))
}

function watched(node: AudioWorkletNode): WorkletSegment {
  let begin!: () => void, end!: () => void, fail!: (cause: unknown, text: string) => void
  const failed = new Promise<never>((_, reject) => {
    fail = (cause, text) => { reject(workerErrors.DRIVER_ERROR({ driver: 'worklet', cause: text }, { cause })) }
  })
  const ready = Promise.race([failed, new Promise<void>((resolve) => { begin = resolve })])
  const ended = Promise.race([failed, new Promise<void>((resolve) => { end = resolve })])
  // Who does not listen hears of no rejection.
  for (const promise of [ready, ended]) promise.catch(() => undefined)
  node.onprocessorerror = (event) => { fail(event, (event as Partial<ErrorEvent>).message || 'the processor threw') }
  node.port.onmessage = ({ data }: MessageEvent<ProcessorEvent>) => {
    if (data.kind === 'ready') return begin()
    const error = decodeError(data.error)
    fail(error, error.message)
  }
  return {
    node, ready, ended,
    close() {
      node.port.postMessage('close')
      node.disconnect()
      end()
    },
  }
}
