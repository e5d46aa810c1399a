import { DTYPE_ID } from '../../media/dtype.js'
import { LONGEST_NAME } from '../ids.js'
import {
  any, anyObject, choice, either, flag, integer, list, map, nested, nothing, number, object, text, type Field, type NumberShape,
  type ObjectShape, type Shape, type TextShape,
} from './shape.js'

const optional = (shape: Shape, value?: unknown): Field => value === undefined ? { shape } : { shape, default: value }
const required = (shape: Shape): Field => ({ shape, required: true })

/**
 * The document format (spec graph.md section 1), field by field in the order in which it is written. Made by one call, so that a bundle
 * that reads no documents leaves it out.
 */
function makeShapes() {
  const idShape: TextShape = text({ min: 1, max: LONGEST_NAME, noControl: true })
  const portShape: Shape = { kind: 'tuple', items: [idShape, idShape], name: '[node, port]' }
  const semverRange: TextShape = text({ min: 1, max: 255, noControl: true })
  // Days that the calendar has: 31, 30, 28; the 29th of February in leap years.
  const day = '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))'
  const leap = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29'
  const timestamp: TextShape =
    text({ pattern: `(?:${day}|${leap})T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z`, name: 'an ISO-8601 UTC time with milliseconds' })
  const seed: Shape = either(integer(0, Number.MAX_SAFE_INTEGER), text({ pattern: '\\d{1,20}', name: 'decimal digits' }))
  const VERSION_TEXT: TextShape = text({ pattern: '1(?:\\.\\d+){0,2}', name: '1' })

  const tier = choice('wasm-threads', 'wasm', 'js')
  const tierAlias = choice('auto', 'wasm-threads', 'wasm', 'js', 'rust', 'wasm-simd', 'python')
  const wish = either(flag, choice('preferred'))

  const retry = object('retry', {
    kind: required(choice('none', 'fixed', 'exponential')), retries: optional(integer(0)), delayMs: optional(number(0)),
    baseMs: optional(number(0)),
    factor: optional(number(1)), maxMs: optional(number(0)), jitter: optional(choice('none', 'full')),
  })
  const breaker = object('breaker', {
    key: optional(text({ min: 1, max: LONGEST_NAME })), failures: optional(integer(1)), openMs: optional(number(0)),
    successes: optional(integer(1)),
  })

  const policy = object('policy', {
    timeoutMs: optional(number(0)), retry: optional(retry), breaker: optional(breaker), limiters: optional(list(idShape)),
    exclusive: optional(either(flag, list(idShape))), priority: optional(choice('high', 'normal', 'low')), always: optional(flag),
    skipIf: optional(any),
    cache: optional(choice('on', 'off')), pin: optional(choice('main', 'master')), hangMs: optional(number(0)),
  })

  const requires = object('requires', {
    webgpu: optional(wish), simd: optional(wish), threads: optional(wish), relaxedSimd: optional(wish), memory64: optional(wish),
    cores: optional(integer(1)),
    memoryBytes: optional(integer(0)), arch: optional(choice('x86_64', 'aarch64', 'arm', 'any')),
    gpu: optional(object('gpu', {
      type: optional(choice('cuda', 'rocm', 'metal', 'vulkan', 'webgpu', 'any')),
      minMemoryBytes: optional(integer(0)), required: optional(flag, true),
    })),
    tags: optional(list(text({ min: 1, max: 255 }))),
  })

  const meta = object('meta', {
    name: optional(text({ min: 1, max: 255 })), description: optional(text({ max: 10_000 })), author: optional(text({ max: 255 })),
    tags: optional(list(text({ min: 1, max: 255 }), undefined, 32)), license: optional(text({ max: 255 })),
    priority: optional(integer(-100, 100)),
    created: optional(timestamp), modified: optional(timestamp),
  })

  const portsShape: Shape = list(portShape), media = mediaShape()
  const inputShape: ObjectShape = object('input', {
    to: required(portsShape), media: optional(media), required: optional(flag, true), default: optional(any),
  })

  const nodeShape: ObjectShape = object('node', {
    id: required(idShape),
    type: required(text({
      max: LONGEST_NAME,
      pattern: '[A-Za-z0-9_.-]+::[A-Za-z0-9_.-]+|[A-Za-z][A-Za-z0-9_.-]*',
      name: 'a node type `family::name` of at most 64 characters',
    })),
    version: optional(semverRange),
    params: optional(anyObject, {}),
    tier: optional(either(tierAlias, list(tier, 1, 3)), 'auto'),
    place: optional(choice('auto', 'local', 'remote', 'prefer-local', 'prefer-remote', 'main'), 'auto'),
    requires: optional(requires, {}),
    media: optional(map(media, idShape), {}),
    mode: optional(choice('run', 'bypass', 'mute'), 'run'),
    policy: optional(policy, {}),
    matrix: optional(any), produces: optional(any), consumes: optional(any),
    output: optional(flag, false),
    ui: optional(any, {}),
  })

  const edgeShape: ObjectShape = object('edge', {
    from: required(portShape), to: required(portShape), id: optional(idShape),
    order: optional(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
    whenFull: optional(choice('block', 'drop-oldest', 'drop-newest', 'latest', 'error')), capacity: optional(integer(1)),
    delayFrames: optional(integer(128)),
  })

  const configShape: ObjectShape = object('config', {
    metrics: optional(flag, true), onError: optional(choice('stop', 'continue'), 'stop'),
    negotiate: optional(choice('auto', 'safe', 'strict'), 'auto'),
    retry: optional(retry), breaker: optional(breaker), timeoutMs: optional(number(0)), cache: optional(choice('on', 'off'), 'on'),
    seed: optional(seed),
  })

  const documentShape: ObjectShape = object('document', {
    $schema: optional(text({ min: 1, max: 2_048 })),
    millrace: required(either(integer(1, 1), VERSION_TEXT)),
    id: optional(idShape),
    revision: optional(integer(0), 0),
    meta: optional(meta, {}),
    engines: optional(object('engines', { millrace: optional(semverRange) }), {}),
    packs: optional(
      list(object('pack', {
        name: required(text({ min: 1, max: 255 })), version: required(semverRange), integrity: optional(text({ min: 1, max: 255 })),
      })),
      [],
    ),
    inputs: optional(map(inputShape, idShape), {}),
    nodes: required(list(nodeShape)),
    edges: optional(list(edgeShape), []),
    outputs: optional(map(portShape, idShape), {}),
    definitions: optional(map(nested, idShape), {}),
    config: optional(configShape, {}),
    ui: optional(any, {}),
  })

  return { idShape, portShape, VERSION_TEXT, portsShape, inputShape, nodeShape, edgeShape, configShape, documentShape }
}

/** A media constraint as JSON can say it: values, sets and ranges, by the kind's own fields (spec graph.md section 4, table `media`). */
function mediaShape(): ObjectShape {
  const set = (one: Shape): Shape => either(one, list(one, 1)), word = text({ min: 1, max: 255 }), words = set(word)
  const numbers = (one: NumberShape): Shape => either(one, list(one, 1), object('range',
    { min: optional(one), max: optional(one), step: optional(number(0)) },
    {
      rule: {
        says: 'a range of min up to max in steps above 0',
        holds: ({ min, max, step }) => !((min as number) > (max as number)) && step !== 0,
      },
    }))
  const size = numbers(integer(1, 16_384))
  const kinds = {
    audio: {
      rate: numbers(number(1, 768_000)), channels: numbers(integer(1, 64)), format: set(choice('f32', 'i16', 'i32', 'u8')),
      layout: set(choice('planar', 'interleaved')),
    },
    video: {
      width: size, height: size, fps: numbers(number(0)), still: flag, format: words,
      matrix: set(choice('bt601', 'bt709', 'bt2020', 'rgb')), range: set(choice('full', 'limited')),
    },
    tensor: {
      dtype: set(choice(...Object.keys(DTYPE_ID))),
      shape: list(either(integer(0), text({ min: 1, max: LONGEST_NAME }), nothing), undefined, 8),
      tag: words,
    },
    events: { schema: words, timebase: numbers(number(0)) }, text: { language: words },
    tokens: { vocab: numbers(integer(1)), codebooks: numbers(integer(1, 64)) }, json: { schema: words },
    bytes: { mime: words, maxBytes: numbers(integer(0)) },
  }
  return byKind({ ...kinds, oneOf: { options: list(byKind(kinds), 1) }, any: {} })
}

/** An object whose fields go by its kind. */
function byKind(kinds: Readonly<Record<string, Readonly<Record<string, Shape>>>>): ObjectShape {
  const make = (names: readonly string[], ...tables: readonly Readonly<Record<string, Shape>>[]): Readonly<Record<string, Field>> => ({
    kind: required(choice(...names)), ...Object.fromEntries(tables.flatMap(Object.entries)
      .map(([name, shape]) => [name, { shape, required: name === 'options' && names.length === 1 }])),
  })
  return object('media', make(Object.keys(kinds), ...Object.values(kinds)), {
    kinds: Object.fromEntries(Object.entries(kinds).map(([kind, own]) => [kind, object('media', make([kind], own))])),
  })
}
const shapes = /* @__PURE__ */ makeShapes()
const shapeOf = <N extends keyof typeof shapes>(name: N): (typeof shapes)[N] => shapes[name]

/** An id or a name. */
export const idShape: TextShape = /* @__PURE__ */ shapeOf('idShape')
/** A port of a node, and the ports that a run-time input goes to. */
export const portShape: Shape = /* @__PURE__ */ shapeOf('portShape'), portsShape: Shape = /* @__PURE__ */ shapeOf('portsShape')
/** Version words that this library reads; all are written as the integer 1. */
export const VERSION_TEXT: TextShape = /* @__PURE__ */ shapeOf('VERSION_TEXT')
/** A run-time input, a node, an edge, the settings of a graph. */
export const inputShape: ObjectShape = /* @__PURE__ */ shapeOf('inputShape'), nodeShape: ObjectShape = /* @__PURE__ */ shapeOf('nodeShape')
export const edgeShape: ObjectShape = /* @__PURE__ */ shapeOf('edgeShape'),
  configShape: ObjectShape = /* @__PURE__ */ shapeOf('configShape')
/** A whole document. `millrace` is checked before the rest (stage 2) and always written as 1. */
export const documentShape: ObjectShape = /* @__PURE__ */ shapeOf('documentShape')
