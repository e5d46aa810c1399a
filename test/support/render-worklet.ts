import type { AnyOutput } from '../../src/graph/output-ref.js'
import type { Engine, WorkletInput, WorkletOptions } from '../../src/index.js'

/** What a segment computes from the sound that enters it. */
export type Build = (input: WorkletInput) => AnyOutput

/** What the context renders when `planes` go through the segment. */
export async function render(
  own: Engine, build: Build, planes: readonly Float32Array<ArrayBuffer>[], context: OfflineAudioContext, options: WorkletOptions = {},
): Promise<Float32Array[]> {
  const segment = await own.openWorklet(context, build, { channels: planes.length, ...options })
  const buffer = new AudioBuffer({ length: planes[0]!.length, sampleRate: context.sampleRate, numberOfChannels: planes.length })
  planes.forEach((plane, c) => { buffer.copyToChannel(plane, c) })
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(segment.node).connect(context.destination)
  source.start()
  const rendered = await context.startRendering()
  await segment.ready
  segment.close()
  await segment.ended
  return Array.from({ length: rendered.numberOfChannels }, (_, c) => rendered.getChannelData(c))
}
