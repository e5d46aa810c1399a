import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  audio, createEngine, defineNode, isMillraceError, json, type Engine, type MillraceError, type Packet, type RunFailure,
} from '../../src/index.js'
import { audioBuffer, gain, mix, toPcm16, vad, wavFile } from '../../src/nodes/index.js'
import { speechLike } from '../support/speech-like.js'

const RATE = 16_000, SAMPLES = speechLike({ rate: RATE, seconds: 2 })
const speech = (): ReturnType<typeof audioBuffer> => audioBuffer({ data: [SAMPLES], rate: RATE })

/** Throws what it is given, after some packets; a mistake in a user's node. */
const faulty = (thrown: () => unknown, after = 0): ReturnType<typeof defineNode> => defineNode({
  type: 'test::faulty', version: '1.0.0', title: 'Faulty', doc: 'Throws.', family: 'test', params: {},
  inputs: { in: { media: audio() } }, outputs: { out: { media: json() } },
  process: async (inputs) => {
    let seen = 0
    for await (const packet of inputs['in'] as AsyncIterable<Packet>) { void packet; if (seen++ >= after) throw thrown() }
    throw thrown()
  },
}) as never

const failureOf = async (run: Promise<unknown>): Promise<RunFailure> => {
  const error: unknown = await run.then(() => undefined, (e: unknown) => e)
  expect(isMillraceError(error)).toBe(true)
  return error as RunFailure
}

describe.each([['inline', 0], ['workers', 2]] as const)('failures (%s)', (_, workers) => {
  let engine: Engine, used: number
  beforeEach(async () => {
    engine = await createEngine({ workers, arenaBytes: 16 * 1_048_576 });
    (await engine.run({ out: toPcm16(gain(speech())) })).close()
    used = engine.stats().arena.usedBytes
  })
  afterEach(async () => {
    const left = engine.stats().arena.usedBytes
    await engine.close()
    expect(left).toBe(used)
  })

  test('a thrown error names node, type, operation and cause, and frees everything', async () => {
    const failure =
      await failureOf(engine.run({ out: faulty(() => new Error('disk on fire'))(gain(speech())), pcm: toPcm16(speech()) } as never))
    expect(failure).toMatchObject({ code: 'NODE_FAILED', nodeId: 'faulty-1', nodeType: 'test::faulty', retryable: true })
    expect(failure.message).toContain('disk on fire')
    expect(failure.cause).toBeInstanceOf(Error)
    expect(failure.result).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED' } })
    failure.result.close()
  })

  test('a thrown string is kept in details', async () => {
    const failure = await failureOf(engine.run({ out: faulty(() => 'bare words')(speech()) } as never))
    expect(failure).toMatchObject({ code: 'NODE_FAILED', details: { thrown: 'bare words' } })
  })

  test('onError continue finishes the branches that do not depend on the failure', async () => {
    using result =
      await engine.run({ bad: faulty(() => new TypeError('no'))(speech()), pcm: toPcm16(gain(speech())) } as never, { onError: 'continue' })
    expect(result.status).toBe('partialfailure')
    expect(Object.keys(result.outputs)).toEqual(['pcm'])
    expect(result.error).toMatchObject({ code: 'NODE_FAILED', retryable: false })
  })

  test('cancel before the run, and in the middle of it', async () => {
    expect(await failureOf(engine.run({ out: gain(speech()) }, { signal: AbortSignal.abort('changed my mind') })))
      .toMatchObject({ code: 'CANCELLED', message: expect.stringContaining('changed my mind') })
    const stop = new AbortController()
    const endless = defineNode({
      type: 'test::endless', version: '1.0.0', title: 'Endless', doc: 'Never ends.', family: 'test', params: {}, inputs: {},
      outputs: { out: { media: audio({ rate: 16_000, channels: 1, format: 'f32', layout: 'planar' }) } },
      pull: async function* (_params, ctx) {
        for (let position = 0; ; position += 1_024) {
          const data = await ctx.allocAudio({ rate: 16_000, channels: 1, frames: 1_024 })
          yield {
            out: {
              media: { kind: 'audio', rate: 16_000, channels: 1, format: 'f32', layout: 'planar' },
              data, position, duration: 1_024, streamId: '', seq: 0, arrivalUs: 0, metadata: {},
            },
          }
          if (position === 20_480) stop.abort(new Error('enough'))
        }
      },
    })
    const failure = await failureOf(engine.run({ frames: vad(gain(endless())).frames }, { signal: stop.signal }))
    expect(failure).toMatchObject({ code: 'CANCELLED', result: { status: 'cancelled', outputs: {} } })
  })

  test('an arena that is too small is ARENA_FULL or RESOURCE_EXHAUSTED, never a hang', async () => {
    const long = audioBuffer({ data: [new Float32Array(6_000_000)], rate: RATE })
    const failure = await failureOf(engine.run({ out: gain(long), other: mix([gain(long), long]) }))
    expect(['ARENA_FULL', 'RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT']).toContain(failure.code)
  })

  test.each([
    ['empty', new Uint8Array(0)], ['not RIFF', new TextEncoder().encode('This is no sound at all, but long enough to be looked at.')],
    ['header only', new TextEncoder().encode('RIFF\0\0\0\0WAVE')],
  ])('a file that is no WAV (%s) is FILE_INVALID with offset and expected', async (_name, bytes) => {
    const failure = await failureOf(engine.run({ out: toPcm16(wavFile(bytes)) }))
    expect(failure).toMatchObject({ code: 'FILE_INVALID', nodeId: 'wav-file-1' })
    expect(failure.hint.length + failure.message.length).toBeGreaterThan(20)
  })
})

test('five faults are five diagnostics in one error', async () => {
  await using engine = await createEngine({ workers: 0 })
  const bad = {
    nodes: [
      { id: 'a', type: 'no::such', params: {} },
      { id: 'b', type: gain.definition.type, definition: gain.definition, params: { gainDb: 900 } },
      { id: 'c', type: gain.definition.type, definition: gain.definition, params: { loud: true } },
      { id: 'd', type: vad.definition.type, definition: vad.definition, params: {} },
      { id: 'd', type: gain.definition.type, definition: gain.definition, params: {} },
    ],
    edges: [{ from: ['b', 'out'], to: ['nowhere', 'in'] }, { from: ['b', 'out'], to: ['c', 'in'] }],
    inputs: new Map(), outputs: new Map([['x', ['c', 'out'] as const]]), config: {},
  }
  const error = await engine.run(bad as never).then(() => undefined, (e: unknown) => e) as MillraceError
  const codes = (error.details['diagnostics'] as { code: string }[]).map((d) => d.code)
  for (const code of ['NODE_TYPE_UNKNOWN', 'PARAM_INVALID', 'PARAM_UNKNOWN', 'NODE_NOT_FOUND', 'DUPLICATE_ID']) {
    expect(codes).toContain(code)
  }
})

describe('a closed engine', () => {
  test('rejects what is pending with CLOSED and refuses new work; close may be repeated', async () => {
    const engine = await createEngine({ workers: 1 })
    const pending = engine.run({ out: toPcm16(gain(speech())) }).then(() => 'done', (error: MillraceError) => error.code)
    await engine.close()
    await engine.close()
    expect(['done', 'CLOSED']).toContain(await pending)
    await expect(engine.run({ out: gain(speech()) })).rejects.toMatchObject({ code: 'CLOSED' })
    expect(() => engine.openNode(gain, {}, { rate: RATE, channels: 1, format: 'f32', layout: 'planar' }))
      .toThrowError(expect.objectContaining({ code: 'CLOSED' }) as Error)
  })
})
