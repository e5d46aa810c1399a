import { defineNode } from '../../src/graph/define-node.js'
import { createRegistry, type Registry } from '../../src/graph/registry.js'
import { anyMedia, audio, json, tensor, text, video } from '../../src/media/media-type.js'

const process = async (): Promise<Record<string, never>> => ({})
const base = { version: '1.0.0', doc: 'A node for tests of importers.', family: 'test', process } as const

/** Stand-ins for ComfyUI's classes, with the params in the order of its widgets. */
export const checkpoint = defineNode({ ...base, type: 'test::load-checkpoint', title: 'Checkpoint', aliases: ['CheckpointLoaderSimple'],
  inputs: {},
  outputs: { model: { media: tensor({ tag: 'model' }) }, clip: { media: tensor({ tag: 'clip' }) }, vae: { media: tensor({ tag: 'vae' }) } },
  params: { ckpt_name: { type: 'string', default: 'model.safetensors', doc: 'File.' } } })
export const encode = defineNode({ ...base, type: 'test::clip-text-encode', title: 'Encode', aliases: ['CLIPTextEncode'],
  inputs: { clip: { media: tensor() } },
  outputs: { conditioning: { media: tensor() } }, params: { text: { type: 'string', default: '', input: true, doc: 'Prompt.' } } })
export const latent = defineNode({ ...base, type: 'test::empty-latent', title: 'Latent', aliases: ['EmptyLatentImage'], inputs: {},
  outputs: { latent: { media: tensor() } },
  params: {
    width: { type: 'integer', default: 512, input: true, doc: 'Width.' },
    height: { type: 'integer', default: 512, input: true, doc: 'Height.' },
    batch_size: { type: 'integer', default: 1, doc: 'Batch.' },
  } })
export const sampler = defineNode({ ...base, type: 'test::k-sampler', title: 'Sampler', aliases: ['KSampler'],
  inputs: { model: { media: tensor() }, positive: { media: tensor() }, negative: { media: tensor() }, latent_image: { media: tensor() } },
  outputs: { latent: { media: tensor() } },
  params: {
    seed: { type: 'seed', default: 0, input: true, doc: 'Seed.' }, steps: { type: 'integer', default: 20, input: true, doc: 'Steps.' },
    cfg: { type: 'number', default: 8, input: true, doc: 'Guidance.' },
    sampler_name: { type: 'string', default: 'euler', doc: 'Sampler.' },
    scheduler: { type: 'string', default: 'normal', doc: 'Scheduler.' }, denoise: { type: 'number', default: 1, doc: 'Denoise.' },
  } })
export const decode = defineNode({
  ...base, type: 'test::vae-decode', title: 'Decode', aliases: ['VAEDecode'],
  inputs: { samples: { media: tensor() }, vae: { media: tensor() } },
  outputs: { image: { media: video() } }, params: {},
})
export const loadImage = defineNode({ ...base, type: 'test::load-image', title: 'Load', aliases: ['LoadImage'], inputs: {},
  outputs: { image: { media: video() }, mask: { media: tensor() } },
  params: { image: { type: 'string', default: '', doc: 'File.' } } })
export const scaleImage = defineNode({ ...base, type: 'test::resize', title: 'Resize', aliases: ['ImageScale'],
  inputs: { image: { media: video() } }, outputs: { image: { media: video() } },
  params: {
    upscale_method: { type: 'string', default: 'lanczos', doc: 'Method.' },
    width: { type: 'integer', default: 512, input: true, doc: 'Width.' },
    height: { type: 'integer', default: 512, input: true, doc: 'Height.' },
    crop: { type: 'string', default: 'disabled', doc: 'Crop.' },
  } })
export const saveImage = defineNode({ ...base, type: 'test::save-image', title: 'Save', aliases: ['SaveImage'],
  inputs: { images: { media: video() } }, outputs: {},
  params: { filename_prefix: { type: 'string', default: 'ComfyUI', doc: 'Prefix.' } } })

/** A registry of them. */
export function comfyRegistry(): Registry {
  return createRegistry(checkpoint, encode, latent, sampler, decode, loadImage, scaleImage, saveImage)
}

/** Types with RemoteMedia names: one port, a port named `default`, several without. */
export const pass = defineNode({
  ...base, type: 'test::pass', title: 'Pass', aliases: ['PassThroughNode'], inputs: { in: { media: anyMedia() } },
  outputs: { out: { media: anyMedia() } }, params: {},
})
export const split = defineNode({ ...base, type: 'test::split', title: 'Split', aliases: ['SplitNode'], inputs: { in: { media: audio() } },
  outputs: { side: { media: audio() }, default: { media: audio() } },
  params: { sampleRate: { type: 'integer', default: 48_000, doc: 'Rate.' } } })
export const join = defineNode({ ...base, type: 'test::join', title: 'Join', aliases: ['JoinNode'],
  inputs: { left: { media: audio() }, right: { media: audio(), optional: true } },
  outputs: { first: { media: audio() }, second: { media: text() } },
  params: { gain: { type: 'number', default: 1, alias: ['gain_factor'], doc: 'Gain.' } } })
export const feed = defineNode({
  ...base, type: 'test::feed', title: 'Feed', aliases: ['FeedNode'], inputs: {}, outputs: { out: { media: audio() } },
  params: { items: { type: 'json', default: [], doc: 'Items.' } },
})
export const sink = defineNode({
  ...base, type: 'test::sink', title: 'Sink', aliases: ['SinkNode'], inputs: { in: { media: anyMedia() } },
  outputs: { items: { media: json() } }, params: {},
})

/** A registry of them. */
export function remoteRegistry(): Registry { return createRegistry(pass, split, join, feed, sink) }
