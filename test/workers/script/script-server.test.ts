/**
 * The thread's half in this thread, over a MessageChannel (MW-78), and the engine's half against
 * threads that do not answer (MW-69, MW-71, MW-73).
 */
import { describe, expect, test } from 'vitest'
import type { MillraceError } from '../../../src/errors/millrace-error.js'
import type { NodeContext } from '../../../src/graph/node-definition.js'
import type { PacketStream } from '../../../src/media/packet.js'
import { createArena } from '../../../src/memory/arena.js'
import type { ArenaAudio } from '../../../src/memory/audio-buffer.js'
import { createAudioApi } from '../../../src/memory/audio-api.js'
import { hostClock } from '../../../src/engine/host-clock.js'
import { hostFacts } from '../../../src/kernels/host-facts.js'
import { createScriptHost } from '../../../src/workers/script/create-script-host.js'
import type { ScriptReply, ScriptRequest } from '../../../src/workers/script/protocol.js'
import { ScriptServer, type ScriptEnvironment } from '../../../src/workers/script/script-server.js'
import { functionText, scriptSource } from '../../../src/workers/script/script-source.js'
import type { SpawnWorker, WorkerHandle } from '../../../src/workers/spawn.js'
import { WORKER_PROTOCOL } from '../../../src/workers/protocol.js'
import { rejection } from '../support.js'
import { scripted } from './script-nodes.js'

type Module = Readonly<Record<string, unknown>>

/** A server whose modules are these objects, and what it says. */
function served(modules: Readonly<Record<string, Module>>, memory?: WebAssembly.Memory): {
  readonly post: (request: ScriptRequest, transfer?: Transferable[]) => void
  readonly heard: <K extends ScriptReply['kind']>(kind: K) => Promise<Extract<ScriptReply, { kind: K }>>
  readonly beats: (() => void)[]
  readonly port: MessagePort
  readonly close: () => void
} {
  const { port1, port2 } = new MessageChannel(), said: ScriptReply[] = []
  const waiting: { readonly kind: string; readonly resolve: (reply: ScriptReply) => void }[] = []
  const beats: (() => void)[] = []
  let now = 1_000
  const env: ScriptEnvironment = {
    importModule: (url) => modules[url] === undefined ? Promise.reject(new Error(`no module ${url}`)) : Promise.resolve(modules[url]),
    moduleOf: (text) => ({ url: `text:${text}`, revoke: () => undefined }),
    epochMs: () => (now += 30), sleep: () => Promise.resolve(),
    every: (_ms, call) => { beats.push(call); return () => { beats.splice(beats.indexOf(call), 1) } },
  }
  port1.onmessage = ({ data }: MessageEvent<ScriptReply>) => {
    const at = waiting.findIndex(({ kind }) => kind === data.kind)
    if (at >= 0) waiting.splice(at, 1)[0]!.resolve(data); else said.push(data)
  }
  new ScriptServer({ millrace: 'script', port: port2, clockOriginMs: 0, ordinal: 1, ...(memory && { memory }) }, env)
  return {
    port: port1, beats, post: (request, transfer = []) => { port1.postMessage(request, transfer) },
    close: () => { port1.close(); port2.close() },
    heard: (kind) => new Promise((resolve) => {
      const at = said.findIndex((reply) => reply.kind === kind)
      if (at >= 0) resolve(said.splice(at, 1)[0] as never); else waiting.push({ kind, resolve: resolve as never })
    }),
  }
}

const opened = (job: number, inputs: Extract<ScriptRequest, { kind: 'open' }>['inputs'] = []): ScriptRequest =>
  ({
    kind: 'open', job, code: 1, params: { a: 1 }, node: { id: 'n', type: 't', runId: 'r' }, attempt: 2, delivery: 3, random: [1, 2], inputs,
  })
const packet = (data: unknown): object => ({
  media: { kind: 'json' }, data, position: 0, duration: 0, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
})

describe('the thread\'s half', () => {
  test('loads code, runs it record by record, beats while it has jobs, and gives instances back', async () => {
    const log: string[] = []
    const s = served({ 'u:1': {
      init: () => { log.push('init'); return { own: true } }, dispose: () => { log.push('dispose') },
      async *process(inputs: Readonly<Record<string, PacketStream>>, params: object, ctx: NodeContext) {
        for await (const one of inputs['in']!) {
          yield { out: packet([one.data, params, ctx.attempt, ctx.delivery, (ctx.instance as { own: boolean }).own]) }
        }
        log.push('over')
      },
    } })
    expect(await s.heard('ready')).toEqual({ kind: 'ready', shared: false })
    s.post({ kind: 'load', code: 1, type: 't', source: { url: 'u:1' } })
    expect(await s.heard('loaded')).toEqual({ kind: 'loaded', code: 1 })
    s.post(opened(1, [['in', { link: 'in', media: { kind: 'json' } }]]))
    s.post({ kind: 'next', job: 1 })
    const first = await s.heard('ask')
    expect([first.want, s.beats.length]).toEqual([{ take: 'in' }, 1])
    s.beats[0]!()
    await s.heard('beat')
    s.post({ kind: 'answer', job: 1, ask: first.ask, packet: packet('x') as never })
    expect((await s.heard('record')).record['out']!.data).toEqual(['x', { a: 1 }, 2, 3, true])
    s.post({ kind: 'next', job: 1 })
    s.post({ kind: 'answer', job: 1, ask: (await s.heard('ask')).ask })
    expect(await s.heard('ended')).toEqual({ kind: 'ended', job: 1 })
    expect([log, s.beats.length]).toEqual([['init', 'over', 'dispose'], 0])
    s.post({ kind: 'drain' })
    await s.heard('drained')
    s.close()
  })

  test('refuses names that its globals lack, and modules that do not load or export nothing', async () => {
    const s = served({ 'text:ok': { default: { pull: () => undefined } }, 'u:none': {} })
    s.post({ kind: 'load', code: 1, type: 't', source: { text: 'ok', names: ['Math', 'nowhere', 'require'] } })
    expect(await s.heard('loaded')).toEqual({ kind: 'loaded', code: 1, missing: ['nowhere', 'require'] })
    s.post({ kind: 'load', code: 2, type: 't', source: { text: 'ok', names: ['Math'] } })
    expect(await s.heard('loaded')).toEqual({ kind: 'loaded', code: 2 })
    for (const url of ['u:none', 'u:absent']) {
      s.post({ kind: 'load', code: 3, type: 't', source: { url } })
      expect((await s.heard('loaded')).error).toBeDefined()
    }
    s.close()
  })

  test('an answer that is an error is known by its number; a stop reaches the signal; leaving runs the code\'s own end', async () => {
    const log: string[] = []
    const s = served({ 'u:1': {
      async process(inputs: Readonly<Record<string, PacketStream>>) { await inputs['in']!.whole(); return {} },
    }, 'u:2': {
      async *pull(_params: object, ctx: NodeContext) {
        try {
          yield { out: packet(1) }
          await new Promise((resolve) => { ctx.signal.addEventListener('abort', resolve) })
          log.push((ctx.signal.reason as Error).name)
          yield { out: packet(2) }
        } finally { log.push('finally') }
      },
    } })
    s.post({ kind: 'load', code: 1, type: 't', source: { url: 'u:1' } })
    s.post(opened(1, [['in', { link: 'in', media: { kind: 'json' } }]]))
    await s.heard('loaded')
    s.post(opened(1, [['in', { link: 'in', media: { kind: 'json' } }]]))
    s.post({ kind: 'next', job: 1 })
    const { ask } = await s.heard('ask')
    s.post({ kind: 'answer', job: 1, ask, error: { name: 'MillraceError', message: 'upstream' } })
    expect(await s.heard('ended')).toMatchObject({ asked: ask, error: { message: 'upstream' } })
    const t = served({ 'u:2': { pull: async function* (_params: object, ctx: NodeContext) {
      try {
        yield { out: packet(1) }
        await new Promise((resolve) => { ctx.signal.addEventListener('abort', resolve) })
        log.push((ctx.signal.reason as Error).name)
        yield { out: packet(2) }
      } finally { log.push('finally') }
    } } })
    t.post({ kind: 'load', code: 1, type: 't', source: { url: 'u:2' } })
    await t.heard('loaded')
    t.post(opened(2))
    t.post({ kind: 'next', job: 2 })
    await t.heard('record')
    t.post({ kind: 'next', job: 2 })
    t.post({ kind: 'abort', job: 2, reason: 'enough', code: 'CANCELLED' })
    await t.heard('record')
    t.post({ kind: 'leave', job: 2 })
    expect(await t.heard('ended')).toEqual({ kind: 'ended', job: 2 })
    expect(log).toEqual(['AbortError', 'finally'])
    s.close()
    t.close()
  })

  test.skipIf(!hostFacts().sab)('audio by handle: the same bytes, references told back when the last one is closed', async () => {
    const arena = createArena({ bytes: 2 ** 24, shared: true, wasm: true }), audio = createAudioApi(arena),
      buffer = audio.alloc({ rate: 8_000, channels: 2, frames: 100 })
    buffer.channel(1)[7] = 0.5
    const s = served({ 'u:1': { async *process(inputs: Readonly<Record<string, PacketStream<ArenaAudio>>>) {
      for await (const one of inputs['in']!) {
        const kept = one.data.slice(5, 50), copy = one.data.clone().makeMut()
        copy.channel(1)[7] = 9
        yield {
          out: { ...packet(null), data: kept, seen: undefined },
          seen: packet([one.data.channel(1)[7], copy.channel(1)[7], one.data.handle, kept.channel(1)[2]]),
        }
        copy.close()
      }
    } } }, arena.memory!)
    expect(await s.heard('ready')).toEqual({ kind: 'ready', shared: true })
    s.post({ kind: 'load', code: 1, type: 't', source: { url: 'u:1' } })
    await s.heard('loaded')
    s.post(opened(1, [['in', { link: 'in', media: { kind: 'audio', rate: 8_000, channels: 2, format: 'f32', layout: 'planar' } }]]))
    s.post({ kind: 'next', job: 1 })
    const { rate, channels, frames, format, layout, speakers, position } = buffer
    s.post({
      kind: 'answer', job: 1, ask: (await s.heard('ask')).ask,
      packet: {
        ...packet(null),
        audio: {
          shape: { rate, channels, frames, format, layout, speakers, position },
          ref: 4, handle: buffer.handle, offset: 0, strideBytes: buffer.strideBytes, sole: false,
        },
      } as never,
    })
    const { record } = await s.heard('record')
    expect(record['seen']!.data).toEqual([0.5, 9, buffer.handle, 0.5])
    expect(record['out']!.audio).toEqual({ ref: 4, skip: 5, frames: 45, position: 5 })
    expect(buffer.channel(1)[7]).toBe(0.5)
    s.post({ kind: 'next', job: 1 })
    s.post({ kind: 'answer', job: 1, ask: (await s.heard('ask')).ask })
    expect(await s.heard('release')).toEqual({ kind: 'release', job: 1, refs: [4] })
    buffer.close()
    s.close()
  })
})

describe('the text of functions', () => {
  test('functions, arrows and methods become expressions; what has no text is refused', async () => {
    const key = 'computed'
    const forms = {
      async method(x: number) { return x + 1 }, 'quoted name': async (x: number) => x + 1, async [key](x: number) { return x + 1 },
      plain: async function named(x: number) { return x + 1 },
      async(x: number) { return x + 1 }, get: async (x: number) => x + 1, 'async "two"'(x: number) { return x + 1 },
    }
    for (const [name, own] of Object.entries(forms)) {
      // eslint-disable-next-line no-new-func
      const again = new Function(`return (${functionText(own as never, name)})`)() as (x: number) => number
      expect([name, await again(1)]).toEqual([name, 2])
    }
    const generator = { async *items() { yield 1 } }
    expect(functionText(generator.items as never, 'items')).toMatch(/^async function\*/)
    expect(() => functionText(Math.max as never, 'max')).toThrow(/bound or native/)
  })

  test('a path of the file system becomes a URL where there is one', () => {
    const definition = { ...scripted(async () => ({})).definition, codeURL: new URL('https://host/code.mjs') }
    expect(scriptSource(definition, true)).toEqual({ url: 'https://host/code.mjs' })
    if (hostFacts().node) expect(scriptSource({ ...definition, codeURL: '/a b/code.mjs' }, true)).toEqual({ url: 'file:///a%20b/code.mjs' })
  })
})

describe('the engine\'s half against threads that misbehave', () => {
  interface Fake {
    readonly handle: WorkerHandle
    readonly say: (message: unknown) => void
    readonly end: (detail: string) => void
    readonly posted: unknown[]
  }
  const fakes = (): { readonly spawn: SpawnWorker; readonly all: Fake[] } => {
    const all: Fake[] = []
    return { all, spawn: () => {
      let listen: (event: { data: unknown }) => void = () => undefined, ended: (reason: 'error', detail: string) => void = () => undefined
      const posted: unknown[] = []
      const handle = {
        endpoint: {
          postMessage: (message: unknown) => { posted.push(message) },
          addEventListener: (_type: string, listener: never) => { listen = listener },
          removeEventListener: () => undefined,
        },
        onEnd: (listener: never) => { ended = listener }, started: () => undefined, terminate: () => Promise.resolve(),
        ref: () => undefined, unref: () => undefined,
      } as unknown as WorkerHandle
      all.push({ handle, posted, say: (data) => { listen({ data }) }, end: (detail) => { ended('error', detail) } })
      return handle
    } }
  }
  const arena = createArena({ bytes: 2 ** 24, shared: false, wasm: true })
  const host = (spawn: SpawnWorker, startTimeoutMs = 200): ReturnType<typeof createScriptHost> =>
    createScriptHost({
      facts: { node: true }, arena, workerURL: undefined, size: 1, startTimeoutMs, clock: hostClock, onLost: () => undefined, spawn,
    })
  const { definition } = scripted(async () => ({}))
  const never = new AbortController().signal
  const turn = (ms = 5): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

  test('no answer, a blocked script, another version', async () => {
    const silent = fakes()
    expect(await rejection(host(silent.spawn).prepare([definition], never)))
      .toMatchObject({ code: 'WORKER_SPAWN', details: { cause: 'no answer' } })
    const blocked = fakes(), starting = rejection(host(blocked.spawn, 5_000).prepare([definition], never))
    await new Promise((resolve) => { setTimeout(resolve, 5) })
    blocked.all[0]!.end('the script did not load')
    expect(await starting).toMatchObject({ code: 'WORKER_SPAWN', hint: expect.stringContaining('worker-src blob:') })
    const old = fakes(), greeting = rejection(host(old.spawn).prepare([definition], never))
    await new Promise((resolve) => { setTimeout(resolve, 5) })
    old.all[0]!.say({ millrace: 'hello', protocol: WORKER_PROTOCOL + 1 })
    expect(await greeting).toMatchObject({ code: 'PROTOCOL_MISMATCH' })
  })

  /** The next thread says that it is there; gives its port once code was sent there. */
  const booted = async (all: readonly Fake[], n: number): Promise<MessagePort> => {
    while (all[n] === undefined) await turn()
    all[n].say({ millrace: 'hello', protocol: WORKER_PROTOCOL })
    while (all[n].posted.length === 0) await turn()
    const { port } = all[n].posted[0] as { readonly port: MessagePort }
    await new Promise((resolve) => {
      port.onmessage = resolve
      port.postMessage({ kind: 'ready', shared: false })
    })
    return port
  }

  test('ended while 100 calls wait there: all go to the next thread, which answers; a fourth end is WORKER_LOST', async () => {
    const { spawn, all } = fakes(), scripts = host(spawn, 5_000)
    const ask = (count = 100): Promise<string>[] => Array.from({ length: count }, () => scripts.prepare(
      [definition], new AbortController().signal,
    ).then(() => 'done', (error: MillraceError) => `${error.code} ${error.details['delivery'] as number} ${error.retryable}`))
    const waiting = ask(), first = await booted(all, 0)
    all[0]!.end('gone')
    const second = await booted(all, 1)
    second.postMessage({ kind: 'loaded', code: 1 })
    expect([new Set(await Promise.all(waiting)), all.length]).toEqual([new Set(['done']), 2])
    all[1]!.end('gone too')
    const again = ask(1)
    for (let n = 2; n < 6; n++) {
      (await booted(all, n)).close()
      all[n]!.end('and again')
    }
    expect([new Set(await Promise.all(again)), all.length]).toEqual([new Set(['WORKER_LOST 4 false']), 6])
    for (const port of [first, second]) port.close()
  })

  test('a message that cannot be read there ends coded; who is cancelled while code loads does not wait for it', async () => {
    const { spawn, all } = fakes(), scripts = host(spawn, 5_000)
    const unread = rejection(scripts.prepare([definition], never))
    for (let n = 0; n < 4; n++) {
      (await booted(all, n)).close()
      all[n]!.say({ millrace: 'unreadable' })
    }
    expect(await unread).toMatchObject({ code: 'WORKER_LOST', details: { reason: expect.stringContaining('messageerror') } })
    const abort = new AbortController()
    const loading = scripts.prepare([definition], abort.signal).catch((error: unknown) => error)
    const reason = new Error('enough')
    const port = await booted(all, 4)
    abort.abort(reason)
    expect(await loading).toBe(reason)
    const starting = scripts.prepare([definition], abort.signal).catch((error: unknown) => error)
    expect(await starting).toBe(reason)
    port.close()
    all[4]!.end('over')
  })
})
