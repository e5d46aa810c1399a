/** Bad uses of what takes a handle, a size or a name, as a table that any build can be held against (issue 4, last line of its proof). */
import type * as Main from '../../src/index.js'
import type * as Memory from '../../src/memory-tools.js'
import type * as Nodes from '../../src/nodes/index.js'

/** The entries of one build. */
export interface Build { readonly main: typeof Main; readonly nodes: typeof Nodes; readonly memory: typeof Memory }
/** What is done, and the code that it must be refused with; null: it is fine, and gives nothing. */
export type BadUse = readonly [what: string, use: () => unknown, code: string | null]

const LONG = 'n'.repeat(100_000)
/** Numbers that are no size, and no handle either. */
const NO_SIZES: readonly unknown[] = [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 53, '8', null, {}]
const NO_HANDLES: readonly unknown[] = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '17', null, undefined, {}]
const named = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? JSON.stringify(value) : String(value)
/** A count of frames: of the four that there are, or none. */
const few = (count: number): void => {
  if (!(Number.isInteger(count) && count >= 0 && count <= 4)) throw new Error(`${count} frames moved`)
}
/** The type system would not allow most of this. */
const any = (value: unknown): never => value as never

/** Every bad use, and how to let go of what it was tried on. */
export async function badUses(
  { main, nodes, memory }: Build, tier: 'wasm-threads' | 'wasm' | 'js',
): Promise<{ readonly uses: readonly BadUse[]; close(): Promise<void> }> {
  const options = { tier, workers: 0, arenaBytes: 2 ** 24 } as const
  const [engine, foreign, shut] = await Promise.all([main.createEngine(options), main.createEngine(options), main.createEngine(options)])
  const { arena, audio } = engine, live = arena.alloc({ dtype: 'f32', shape: [8] }), stale = arena.alloc(64), staleHandle = stale.handle,
    theirs = foreign.arena.alloc(64), spec = { rate: 8_000, channels: 1 } as const
  stale.release()
  const closed = audio.alloc({ ...spec, frames: 16 }), open = audio.alloc({ ...spec, frames: 16 })
  const foreignAudio = foreign.audio.alloc({ ...spec, frames: 16 })
  closed.close()
  const [late, lateAudio] = [shut.arena.alloc(64), shut.audio.alloc({ ...spec, frames: 16 })]
  const direct = engine.openNode(nodes.gain, {}, { rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })
  const ended = engine.openNode(nodes.gain, {}, { rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })
  ended.close()
  await shut.close()
  const ring = memory.createRing(arena, { frames: 16 })
  const gone = memory.createRing(arena, { frames: 16 })
  const bytes = memory.createByteRing(arena, 256), one = new Float32Array(4)
  gone[Symbol.dispose]()
  const descriptor = { handle: live.handle, dtype: 'f32', shape: [8], byteOffset: 0 } as const
  const holder = arena.openHolder('bad use'), kept = holder.alloc(64)
  holder.drop()
  const tone = (): ReturnType<typeof nodes.audioBuffer> => nodes.audioBuffer({ data: [new Float32Array(64)], rate: 8_000 })

  const uses: BadUse[] = []
  const add = (what: string, use: () => unknown, code: string | null): void => { uses.push([what, use, code]) }
  const H = 'INVALID_HANDLE', A = 'INVALID_ARGUMENT', C = 'CLOSED'
  // Sizes.
  for (const n of NO_SIZES) {
    add(`arena.alloc(${named(n)})`, () => arena.alloc(any(n)), A)
    add(`arena.alloc of shape [${named(n)}]`, () => arena.alloc({ dtype: 'f32', shape: [any(n)] }), A)
    add(`arena.allocate(${named(n)})`, () => arena.allocate(any(n)), A)
    add(`holder.alloc(${named(n)})`, () => holder.alloc(any(n)), A)
    add(`audio.alloc of ${named(n)} frames`, () => audio.alloc({ ...spec, frames: any(n) }), A)
    add(`audio.alloc of ${named(n)} channels`, () => audio.alloc({ rate: 8_000, channels: any(n), frames: 4 }), A)
    add(`block.slice(0, ${named(n)})`, () => live.slice(0, any(n)), H)
    add(`block.slice(${named(n)}, 8)`, () => live.slice(any(n), 8), H)
    add(`block.sibling(${named(n)})`, () => live.sibling(any(n)), A)
    add(`audio.slice(0, ${named(n)})`, () => open.slice(0, any(n)), H)
    add(`audio.channel(${named(n)})`, () => open.channel(any(n)), H)
    add(`createRing of ${named(n)} frames`, () => memory.createRing(arena, { frames: any(n) }), A)
    add(`createRing of ${named(n)} channels`, () => memory.createRing(arena, { frames: 16, channels: any(n) }), A)
    add(`createByteRing(${named(n)})`, () => memory.createByteRing(arena, any(n)), A)
    // Real-time calls refuse nothing: they move what there is, or nothing.
    add(`writer.write of ${named(n)} frames`, () => few(ring.writer.write(one, any(n))), null)
    add(`writer.write from ${named(n)}`, () => few(ring.writer.write(one, 1, any(n))), null)
    add(`writer.commit(${named(n)})`, () => { ring.writer.commit(any(n)) }, A)
    add(`reader.read of ${named(n)} frames`, () => few(ring.reader.read(one, any(n))), null)
    add(`reader.release(${named(n)})`, () => { ring.reader.release(any(n)) }, A)
    // A whole number beyond the block is out of its bounds.
    add(
      `importDescriptor at ${named(n)}`,
      () => memory.importDescriptor(arena, { ...descriptor, byteOffset: any(n) }),
      n === 2 ** 53 ? H : A,
    )
    add(
      `importDescriptor of shape [${named(n)}]`,
      () => memory.importDescriptor(arena, { ...descriptor, shape: [any(n)] }),
      n === 2 ** 53 ? H : A,
    )
    add(`copyFrom of shape [${named(n)}]`, () => memory.copyFrom(arena, { data: one, dtype: 'f32', shape: [any(n)] }), A)
    if (n === null) continue
    // What may be left out may be null.
    add(`arena.alloc, align ${named(n)}`, () => arena.alloc(64, { align: any(n) }), A)
    add(`copyFrom at ${named(n)}`, () => memory.copyFrom(arena, { data: one, dtype: 'f32', shape: [4], byteOffset: any(n) }), A)
    add(`openNode of ${named(n)} frames`, () =>
      engine.openNode(nodes.gain, {}, { rate: 8_000, channels: 1, format: 'f32', layout: 'planar' }, { maxFrames: any(n) }), A)
    add(`run with ${named(n)} workers`, () => engine.run({ out: tone() }, { workers: any(n) }), A)
    add(`run in blocks of ${named(n)}`, () => engine.run({ out: tone() }, { blockFrames: any(n) }), A)
    add(`createEngine of ${named(n)} bytes`, () => main.createEngine({ ...options, arenaBytes: any(n) }), 'CONFIG_INVALID')
  }
  add('arena.alloc of more than there is', () => arena.alloc(2 ** 30), A)
  add('arena.alloc of an unknown dtype', () => arena.alloc({ dtype: any('f80'), shape: [4] }), A)
  add('audio.alloc of an unknown format', () => audio.alloc({ ...spec, frames: 4, format: any('f64') }), A)
  add('createRing of an unknown dtype', () => memory.createRing(arena, { frames: 16, dtype: any('f80') }), A)
  add('a message that no ring holds', () => bytes.writer.push(new Uint8Array(100_000)), A)

  // Handles and addresses.
  for (const [whose, handle] of [
    ['stale', staleHandle], ['foreign', theirs.handle], ...NO_HANDLES.map((n) => [named(n), n] as const),
  ] as const) {
    add(`arena.open of a ${whose} handle`, () => arena.open(any(handle)), H)
    add(`arena.check of a ${whose} handle`, () => arena.check(any(handle)), H)
    add(`importDescriptor of a ${whose} handle`, () => memory.importDescriptor(arena, { ...descriptor, handle: any(handle) }), H)
    add(`copyFrom a ${whose} handle`, () => memory.copyFrom(arena, { ...descriptor, handle: any(handle) }), H)
    add(`arena.free of a ${whose} handle as an address`, () => { arena.free(any(handle)) }, H)
    add(`openAt a ${whose} handle as an address`, () => arena.openAt(any(handle), 4), null)
    add(`attachReader at a ${whose} handle as an address`, () => memory.attachReader(arena, any(handle)), A)
    add(`attachWriter at a ${whose} handle as an address`, () => memory.attachWriter(arena, any(handle)), A)
  }
  add('arena.free twice', () => { const at = arena.allocate(2 ** 20); arena.free(at); arena.free(at) }, H)
  add('arena.free of an address that is another holder’s', () => { holder.free(live.address) }, H)
  add('attachReader at a block that is no ring', () => memory.attachReader(arena, live.address), A)
  add('describeBlock of a block of another engine', () => memory.describeBlock(arena, theirs), H)

  // Given up: twice, and used.
  for (const [whose, block] of [['released', stale], ['dropped', kept]] as const) {
    for (const [what, use] of [
      ['handle', () => block.handle], ['address', () => block.address], ['view', () => block.view(Uint8Array)],
      ['slice', () => block.slice(0, 1)], ['clone', () => block.clone()], ['makeMut', () => block.makeMut()],
      ['pin', () => { block.pin() }], ['unpin', () => { block.unpin() }], ['retain', () => { block.retain() }],
      ['release', () => { block.release() }], ['sibling', () => block.sibling(64)], ['references', () => block.references],
    ] as const) add(`${what} of a ${whose} block`, use, H)
  }
  add('dispose of a released block', () => { stale[Symbol.dispose]() }, null)
  add('view in another type than its own', () => live.view(Int16Array), H)
  for (const [what, use] of [
    ['channel', () => closed.channel(0)], ['slice', () => closed.slice(0, 1)], ['clone', () => closed.clone()],
    ['makeMut', () => closed.makeMut()], ['toArray', () => closed.toArray()], ['tryView', () => closed.tryView(Float32Array)],
    ['handle', () => closed.handle],
  ] as const) add(`${what} of a closed buffer`, use, H)
  add('close of a closed buffer', () => { closed.close() }, null)
  add(
    'a closed buffer in a graph',
    () => engine.run({ out: nodes.gain(nodes.audioBuffer({ data: closed } as never) as never) } as never),
    H,
  )
  add('a buffer of another engine in a graph', () =>
    engine.run({ out: nodes.gain(nodes.audioBuffer({ data: foreignAudio } as never) as never) } as never), H)
  add('a closed buffer for a node', () => direct.process(closed), H)
  add('a buffer of another engine for a node', () => direct.process(foreignAudio), A)
  for (const [what, use] of [['write to', () => gone.writer.write(one)], ['read from', () => gone.reader.read(one)]] as const) {
    add(`${what} a ring that is gone`, () => { if (use() !== 0) throw new Error('frames were moved') }, null)
  }

  // Closed engines and nodes.
  for (const [what, use] of [
    ['run', () => shut.run({ out: tone() })], ['plan', () => shut.plan({ out: tone() })],
    ['openNode', () => shut.openNode(nodes.gain, {}, { rate: 8_000, channels: 1, format: 'f32', layout: 'planar' })],
    ['arena.alloc', () => shut.arena.alloc(64)], ['arena.allocate', () => shut.arena.allocate(64)],
    ['audio.alloc', () => shut.audio.alloc({ ...spec, frames: 4 })], ['createRing', () => memory.createRing(shut.arena, { frames: 16 })],
    ['sibling', () => late.sibling(64)], ['addWorklet', () => shut.addWorklet(any({}))],
  ] as const) add(`${what} of a closed engine`, use, C)
  for (const [what, use] of [
    ['close', () => shut.close()], ['release', () => { late.release() }], ['close of a buffer', () => { lateAudio.close() }],
  ] as const) add(`${what} after an engine was closed`, use, null)
  for (const [what, use] of [
    ['process', () => ended.process(open)], ['flush', () => ended.flush()], ['reset', () => { ended.reset() }],
    ['setParam', () => { ended.setParam('gainDb', 1) }],
  ] as const) add(`${what} of a closed node`, use, C)

  // Options of engines, loops, worklets and policies: what is no number, no list, no function.
  const over = (more: object): Promise<void> => main.createEngine({ ...options, ...more } as never).then((fine) => fine.close())
  const context = { sampleRate: 8_000, audioWorklet: { addModule: () => Promise.resolve() } }
  const asks = (how: 'need' | 'decline', port: unknown): ((input: unknown) => never) => main.defineNode({
    type: 'test::asks', version: '1.0.0', title: 'Asks', doc: 'Asks.', family: 'test', params: {},
    inputs: { in: { media: main.audio(), lazy: true } }, outputs: {},
    process: (_inputs: unknown, _params: unknown, ctx: { need(port: unknown): never; decline(port: unknown): never }) => ctx[how](port),
  } as never) as never
  const ruled = (policy: object): unknown => engine.run({ out: nodes.gain.with({ policy: policy as never })(tone()) })
  const F = 'CONFIG_INVALID', J = tier === 'js' ? 'TIER_UNAVAILABLE' : undefined
  for (const n of [...NO_SIZES, 0, undefined]) {
    const text = named(n), count = n === 2 ** 53
    add(`limiters of ${text} permits`, () => over({ limiters: { gpu: n } }), count ? null : F)
    add(`workerTags of ${text} workers`, () => over({ workerTags: { gpu: n } }), count ? null : F)
    add(`openWorklet in the context ${text}`, () => engine.openWorklet(any(n), (input) => nodes.gain(input, {}) as never), A)
    add(`openWorklet built by ${text}`, () => engine.openWorklet(any(context), any(n)), A)
    add(`openWorklet of ${text}`, () => engine.openWorklet(any(context), () => any(n)), A)
    add(`addWorklet to ${text}`, () => engine.addWorklet(any(n)), A)
    add(
      `feedback of ${text} frames`,
      () => main.feedback({ delayFrames: any(n) }, (late) => nodes.mix([tone(), late] as never) as never),
      count ? null : A,
    )
    add(`feedback(${text})`, () => main.feedback(any(n), (late) => nodes.mix([tone(), late] as never) as never), A)
    add(`feedback whose loop is ${text}`, () => main.feedback({ delayFrames: 256 }, any(n)), A)
    add(`feedback that returns ${text}`, () => main.feedback({ delayFrames: 256 }, () => any(n)), A)
    for (const how of ['need', 'decline'] as const) add(`ctx.${how}(${text})`, () => engine.run({ out: asks(how, n)(tone()) }), A)
    if (n === undefined) continue
    // Left out they have their defaults.
    for (const key of ['limiters', 'workerTags', 'kernels', 'resourceLimits']) {
      add(`${key}: ${text}`, () => over({ [key]: n }), typeof n === 'object' && n !== null ? null : F)
    }
    for (const key of ['logger', 'onEvent', 'zeroOnFree', 'debugMemory']) add(`${key}: ${text}`, () => over({ [key]: n }), F)
    for (const key of ['hangMs', 'respawns', 'warmSpares', 'startTimeoutMs', 'workers']) {
      const fine = key === 'hangMs' ? typeof n === 'number' && n > 0
        : key === 'respawns' ? typeof n === 'number' && n >= 0
        : key === 'startTimeoutMs' ? n === 1.5 || n === 2 ** 53
        : n === 0
      add(`${key}: ${text}`, () => over({ [key]: n }), fine ? null : F)
    }
    add(
      `resourceLimits of ${text} MiB`,
      () => over({ resourceLimits: { maxOldGenerationSizeMb: n } }),
      typeof n === 'number' && n > 0 ? null : F,
    )
    add(`openWorklet of ${text} channels`, () =>
      engine.openWorklet(any(context), (input) => nodes.gain(input, {}) as never, { channels: any(n) }), A)
    add(`openWorklet of ${text} bytes`, () =>
      engine.openWorklet(any(context), (input) => nodes.gain(input, {}) as never, { arenaBytes: any(n) }), J ?? F)
    add(
      `core::switch, which: ${text}`,
      () => engine.run({ out: nodes.switchTo([tone()] as never, { which: any(n) }) } as never),
      n === 0 ? null : A,
    )
    add(`policy.limiters: ${text}`, () => ruled({ limiters: n }), 'SCHEMA_INVALID')
    add(`policy.exclusive: ${text}`, () => ruled({ exclusive: n }), 'SCHEMA_INVALID')
    add(`a type with limiters: ${text}`, () => main.defineNode({
      type: 'test::limited', version: '1.0.0', title: 'x', doc: 'x', family: 'test', params: {}, inputs: {}, outputs: {},
      process: () => ({}), limiters: n,
    } as never), A)
    add(`run({ priority: ${text} })`, () => engine.run({ out: tone() }, { priority: any(n) }), n === 0 || n === -1 ? null : A)
    add(
      `run({ nodeTimeoutMs: ${text} })`,
      () => engine.run({ out: tone() }, { nodeTimeoutMs: any(n) }),
      typeof n === 'number' && n >= 0 ? null : A,
    )
    add(`run({ signal: ${text} })`, () => engine.run({ out: tone() }, { signal: any(n) }), A)
    add(`run({ materialize: ${text} })`, () => engine.run({ out: tone() }, { materialize: any(n) }), A)
  }
  add('limits of more tags than there are bits', () => over({ workerTags: Object.fromEntries([...'abcdefg'].map((tag) => [tag, 1])) }), F)
  add('a limiter that the engine does not have', () => ruled({ limiters: ['none-such'] }), F)
  add('over-long keys of limiters and of exclusive', async () => {
    await over({ limiters: { [LONG]: 1 } })
    await ruled({ exclusive: ['n'.repeat(64)] })
  }, null)
  add('openWorklet of a closed engine', () => shut.openWorklet(any(context), (input) => nodes.gain(input, {}) as never), C)
  add('drain of a closed engine', () => shut.drain(), null)

  // Names.
  add('an over-long param', () => { direct.setParam(LONG, 1) }, A)
  add('an over-long output', () => engine.run({ out: tone() }, { outputs: [LONG] }), 'OUTPUT_NOT_FOUND')
  add('an over-long input', () => engine.run({ out: tone() }, { inputs: { [LONG]: 1 } }), A)
  add('an over-long tag', () => main.createEngine({ ...options, workerTags: { [LONG]: 1 } }).then((fine) => fine.close()), null)
  add('an over-long module of kernels', () => main.createEngine({ ...options, kernels: { [LONG]: new Uint8Array(8) } })
    .then((fine) => fine.close()), tier === 'js' ? null : 'KERNEL_ABI')
  add('an over-long output of a graph', () => engine.run({ [LONG]: tone() }).then((fine) => { fine.close() }), 'SCHEMA_INVALID')
  add('an over-long type', () => main.defineNode({
    type: `test::${LONG}`, version: '1.0.0', title: 'x', doc: 'x', family: 'test', params: {}, inputs: {}, outputs: {},
  } as never), A)
  add('an over-long trace id', () => memory.encodePacket({ type: 'ping', body: {}, traceId: LONG }), A)
  add('an over-long job id', () =>
    memory.encodePacket({ type: 'jobCancel', body: { jobId: 'x'.repeat(2 ** 20), reason: '', hard: false } }), null)
  return { uses, async close() { for (const one of [engine, foreign, shut]) await one.close() } }
}

/** What came of a use: null, the code of a refusal, or any other error as text: that is what must not be. */
export async function outcomeOf(use: () => unknown): Promise<string | null> {
  try { await use() } catch (error) {
    const code = (error as { code?: unknown }).code
    return error instanceof Error && typeof code === 'string' && 'kind' in error
      ? code
      : `not refused with a code: ${String(error).slice(0, 200)}`
  }
  return null
}
