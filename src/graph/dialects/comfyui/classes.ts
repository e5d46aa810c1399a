import type { DocumentNode } from '../../document/document.js'
import type { NodeDefinition } from '../../node-definition.js'
import type { Report } from '../report.js'

/** What ComfyUI's own node classes are to a graph. */

/** Nodes that only pass a wire on. */
export const isReroute = (type: string): boolean => type === 'Reroute' || type === 'Reroute (rgthree)'
/** Nodes that hold the value of other nodes' widgets. */
export const isPrimitive = (type: string): boolean => type === 'PrimitiveNode'
/** Text on the canvas. */
export const isNote = (type: string): boolean => type === 'Note' || type === 'MarkdownNote'

/** Classes that ComfyUI declares as output nodes: it runs them and what they need, and nothing else. */
const OUTPUT_CLASSES: ReadonlySet<string> = new Set([
  'SaveImage', 'PreviewImage', 'SaveAnimatedWEBP', 'SaveAnimatedPNG', 'SaveSVGNode', 'SaveLatent', 'SaveAudio', 'SaveAudioMP3',
  'SaveAudioOpus', 'PreviewAudio', 'SaveVideo', 'SaveWEBM', 'SaveGLB', 'Preview3D', 'PreviewAny', 'MaskPreview', 'CheckpointSave',
  'ModelSave', 'CLIPSave', 'VAESave', 'LoraSave', 'SaveImageWebsocket', 'VHS_VideoCombine',
])

/** True for nodes that ComfyUI runs for their own sake. */
export function isOutputClass(name: string, definition: NodeDefinition | undefined): boolean {
  return OUTPUT_CLASSES.has(name)
    || (definition !== undefined && (definition.effects === 'write' || Object.keys(definition.outputs).length === 0))
}

/** Notes an `output` that is read as something else: ComfyUI's outputs go by their class. */
export function noteOutput({ output = false }: DocumentNode, type: string, isOutput: boolean, pointer: string, report: Report): void {
  if (output && !isOutput) report.drop(`${pointer}/output`, `${type} is no output class`)
  if (!output && isOutput) report.substitute(`${pointer}/output`, 'output: false', `${type}, an output class`)
}

/** Alias of a type that is a ComfyUI class: RemoteMedia's end in `Node`. */
export const isClassName = (name: string): boolean => !name.endsWith('Node')

/** Values of the widget that ComfyUI puts behind a seed. */
export const CONTROL_WORDS: ReadonlySet<unknown> = new Set(['fixed', 'increment', 'decrement', 'randomize'])
/** Widgets that have such a companion. */
export const hasControl = (name: string, definition: NodeDefinition | undefined): boolean =>
  name === 'seed' || name === 'noise_seed'
    || (definition !== undefined && Object.hasOwn(definition.params, name) && definition.params[name]!.type === 'seed')
