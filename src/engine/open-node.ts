import { commonErrors } from '../errors/common-errors.js'
import { framesOf } from '../graph/resolve/held.js'
import { graphErrors } from '../graph/errors.js'
import { errorOf } from '../errors/error-of.js'
import { show } from '../errors/show.js'
import type { NodeDefinition } from '../graph/node-definition.js'
import type { AnyNode } from '../graph/node-factory.js'
import { resolveParams } from '../graph/params.js'
import type { AudioBuffer } from '../media/audio-buffer.js'
import type { AudioMedia } from '../media/media-type.js'
import { ControlCourses } from '../kernels/control-courses.js'
import { controlValues, describeKernel } from '../kernels/kernel-spec.js'
import { KernelInstance } from '../kernels/kernel-instance.js'
import { referenceCode } from '../kernels/reference-code.js'
import { statusError } from '../kernels/status-name.js'
import { ArenaAudio } from '../memory/audio-buffer.js'
import { mostFrames } from '../schedule/segment-buffers.js'
import { nodeMedia } from '../schedule/node-media.js'
import { referenceParts, type ResolvedNode } from '../schedule/resolved-graph.js'
import type { EngineParts } from './engine-parts.js'

/** A node opened for direct calls: the same kernel and the same bits as in a graph, without one (AU-17). */
export interface OpenNode {
  /** Content stands this many frames later than its input. */
  readonly latencyFrames: number
  /**
   * Consumes a buffer and gives what the node produced. The result is the node's own and ends with the next call: use it before, or copy it
   * with `toArray()`. Throws `INVALID_ARGUMENT` for another media or more frames than `maxFrames`, `KERNEL_STATUS`, `KERNEL_TRAP`.
   */
  process(input: AudioBuffer): AudioBuffer
  /**
   * Changes a param from the next frame on, in a straight line over `rampMs` (0…1 000, default 5) when its rate is `sample` (AU-03), at
   * once when it is `block`. Throws `PARAM_INVALID`, and `INVALID_ARGUMENT` for a param that is fixed from the start.
   */
  setParam(name: string, value: unknown, options?: { readonly rampMs?: number }): void
  /** Frames that the node still holds; call until it gives 0 frames. */
  flush(): AudioBuffer
  reset(): void
  close(): void
}

/** Most frames of one direct call. */
const MOST_FRAMES = 16_777_216
const RAMP_MS = 5, MOST_RAMP_MS = 1_000

/** Options of `openNode`. `maxFrames`: most frames of one call, default 65 536. */
export interface OpenNodeOptions { readonly maxFrames?: number }

/**
 * Opens a kernel node with one audio input and one audio output on the engine's thread. Throws `PARAM_INVALID`,
 * `NEGOTIATION_CONFLICT`, `INVALID_ARGUMENT`.
 */
export function openNode(
  parts: EngineParts, node: AnyNode, params: Readonly<Record<string, unknown>>, media: Omit<AudioMedia, 'kind'>,
  options: OpenNodeOptions = {},
): OpenNode {
  const definition = (node as Partial<AnyNode> | undefined)?.definition, maxFrames = options.maxFrames ?? 65_536
  if (definition === undefined) throw commonErrors.INVALID_ARGUMENT({ function: 'openNode', expected: 'a node type', got: show(node) })
  if (!(Number.isInteger(maxFrames) && maxFrames >= 1 && maxFrames <= MOST_FRAMES)) {
    throw commonErrors.INVALID_ARGUMENT({ function: 'openNode maxFrames', expected: `1…${MOST_FRAMES} frames`, got: show(maxFrames) })
  }
  const resolved = resolveNode(definition, params, { kind: 'audio', ...media })
  const output = resolved.media[Object.keys(definition.outputs)[0]!] as AudioMedia
  const spec = describeKernel(definition, {
    nodeId: definition.type, params: resolved.params, media: resolved.media, inputs: resolved.inputs.map((i) => i.link),
    connectedOutputs: new Set([Object.keys(definition.outputs)[0]!]), maxFrames,
  })
  const reference = referenceParts(resolved)
  if (parts.runtime === undefined && reference === undefined) {
    throw graphErrors.TIER_UNAVAILABLE({ node: definition.type, wanted: 'js', missing: ['a reference'] })
  }
  const code = parts.runtime === undefined ? referenceCode(spec, reference!, parts.arena) : parts.runtime.kernel(spec.module, spec.export)
  const instance = new KernelInstance(code, spec, parts.arena, { shared: parts.shared })
  const room = mostFrames(resolved, Object.keys(definition.outputs)[0]!, maxFrames)
  let block: ArenaAudio
  try {
    block = parts.audio.alloc({ rate: output.rate, channels: output.channels, frames: room, format: output.format, layout: output.layout })
  } catch (error) {
    instance.close()
    throw error
  }
  return new DirectNode(parts, resolved, instance, block, { kind: 'audio', ...media }, maxFrames, room, framesOf('latencyFrames', resolved))
}

function resolveNode(definition: NodeDefinition, params: Readonly<Record<string, unknown>>, media: AudioMedia): ResolvedNode {
  const inputs = Object.keys(definition.inputs), outputs = Object.values(definition.outputs)
  if (definition.kernel === undefined || inputs.length !== 1 || outputs[0]?.media.kind !== 'audio') {
    throw commonErrors.INVALID_ARGUMENT({
      function: 'openNode',
      expected: 'a kernel node with one audio input and audio as its first output',
      got: definition.type,
    })
  }
  const values = paramsOf(definition, params)
  return {
    index: 0, id: definition.type, definition, params: values, media: nodeMedia(definition, values, { [inputs[0]!]: media }),
    inputs: [{ link: inputs[0]!, port: inputs[0]!, from: null }], tier: 'wasm', tierWhy: '', estUs: 0,
  }
}

/** Params with defaults. Throws the first fault. */
function paramsOf(definition: NodeDefinition, params: Readonly<Record<string, unknown>>): ResolvedNode['params'] {
  const { values, diagnostics } = resolveParams(definition, params), faults = diagnostics.filter((d) => d.severity === 'error')
  if (faults.length > 0) throw errorOf(faults[0]!, faults)
  return values
}

class DirectNode implements OpenNode {
  readonly latencyFrames: number
  readonly #parts: EngineParts
  readonly #instance: KernelInstance
  readonly #room: ArenaAudio
  readonly #media: AudioMedia
  readonly #maxFrames: number
  readonly #roomFrames: number
  readonly #type: string
  readonly #courses: ControlCourses
  #node: ResolvedNode
  #position = 0
  #out = 0
  #last: ArenaAudio | undefined
  #closed = false

  constructor(
    parts: EngineParts, node: ResolvedNode, instance: KernelInstance, room: ArenaAudio, media: AudioMedia, maxFrames: number,
    roomFrames: number, latencyFrames: number,
  ) {
    this.#parts = parts
    this.#instance = instance
    this.#room = room
    this.#media = media
    this.#maxFrames = maxFrames
    this.#roomFrames = roomFrames
    this.#type = node.definition.type
    this.#node = node
    this.#courses = new ControlCourses(instance.spec.controls)
    this.latencyFrames = latencyFrames
  }

  process(input: AudioBuffer): AudioBuffer {
    this.#requireOpen('process')
    const media = this.#media
    if (!(input instanceof ArenaAudio && input.isIn(this.#parts.arena)) || input.rate !== media.rate || input.channels !== media.channels
      || input.format !== media.format || input.layout !== media.layout || input.frames > this.#maxFrames) {
      throw commonErrors.INVALID_ARGUMENT({
        function: `${this.#type} process`,
        expected: `${media.format} ${media.layout} at ${media.rate} Hz, ${media.channels} channels, at most ${this.#maxFrames} frames, in this engine`,
        got: show(input),
      })
    }
    this.#instance.setInput(0, { data: input.address, frames: input.frames, stride: input.strideBytes })
    this.#instance.setOutput(0, { data: this.#room.address, frames: this.#roomFrames, stride: this.#room.strideBytes })
    this.#courses.apply(this.#instance, this.#position)
    const produced = this.#checked(this.#instance.process(input.frames, this.#position))
    this.#position += input.frames
    return this.#show(produced)
  }

  setParam(name: string, value: unknown, { rampMs = RAMP_MS }: { readonly rampMs?: number } = {}): void {
    this.#requireOpen('setParam')
    const { definition, params, media } = this.#node, param = Object.hasOwn(definition.params, name) ? definition.params[name]! : undefined
    const bad = (what: string, expected: string, got: unknown): Error =>
      commonErrors.INVALID_ARGUMENT({ function: `${this.#type} setParam${what}`, expected, got: show(got) })
    if (param?.rate !== 'sample' && param?.rate !== 'block') throw bad('', 'a param that may change while it runs', name)
    if (!(rampMs >= 0 && rampMs <= MOST_RAMP_MS)) throw bad(' rampMs', `0…${MOST_RAMP_MS} ms`, rampMs)
    const next = paramsOf(definition, { ...params, [name]: value }), before = controlValues(definition, params, media)
    const frames = param.rate === 'sample' ? Math.round(rampMs / 1000 * this.#media.rate) : 0
    controlValues(definition, next, media)
      .forEach((control, index) => { if (control !== before[index]) this.#courses.set(index, control, this.#position, frames) })
    this.#node = { ...this.#node, params: next }
  }

  flush(): AudioBuffer {
    this.#requireOpen('flush')
    this.#instance.setOutput(0, { data: this.#room.address, frames: this.#roomFrames, stride: this.#room.strideBytes })
    return this.#show(this.#checked(this.#instance.flush(this.#position)))
  }

  reset(): void {
    this.#requireOpen('reset')
    this.#instance.reset()
    this.#courses.rewind()
    this.#position = 0
    this.#out = 0
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#last?.close()
    this.#instance.close()
    this.#room.close()
  }

  #requireOpen(event: string): void {
    if (this.#closed) throw commonErrors.CLOSED({ thing: 'Node', id: this.#type, event })
  }

  #checked(result: number): number {
    if (result < 0) throw statusError(this.#instance.spec, result)
    return result
  }

  /** The first `frames` frames of the room, positioned in the stream. */
  #show(frames: number): AudioBuffer {
    const { rate, channels, format, layout, speakers } = this.#room
    this.#last?.close()
    const view = this.#last = new ArenaAudio(this.#parts.arena, this.#room.block.clone(), {
      rate, channels, format, layout, speakers, frames, position: this.#out,
    }, { skip: 0, pitch: this.#roomFrames })
    this.#out += frames
    return view
  }
}
