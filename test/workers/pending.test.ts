import { decodeError } from '../../src/errors/codec.js'
import { expose, wrap } from 'comlink'
import { describe, expect, test } from 'vitest'
import { ERROR_CODES } from '../../src/errors/error-codes.js'
import { isMillraceError, MillraceError } from '../../src/errors/millrace-error.js'
import { useErrorCodec } from '../../src/workers/errors-over-comlink.js'
import { faultError, faultOf } from '../../src/workers/fault.js'
import { PendingCalls } from '../../src/workers/pending.js'

describe('PendingCalls', () => {
  const settled = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => ['value', value], (error: unknown) =>
    ['error', error])

  test('lets values and errors through, and forgets them', async () => {
    const calls = new PendingCalls()
    const all = [
      calls.call(() => Promise.resolve(1)), calls.call(() => Promise.reject(new Error('x'))),
      calls.call((): Promise<void> => { throw new Error('y') }),
    ]
    expect(await Promise.all(all.map(settled))).toEqual([['value', 1], ['error', new Error('x')], ['error', new Error('y')]])
    expect(calls.size).toBe(0)
  })

  test('rejects what waits and what comes later, once', async () => {
    const calls = new PendingCalls(), resolvers: ((value: number) => void)[] = []
    const waiting = Array.from({ length: 5 }, () =>
      settled(calls.call(() => new Promise<number>((resolve) => { resolvers.push(resolve) }))))
    expect(calls.size).toBe(5)
    calls.rejectAll('lost')
    calls.rejectAll('again')
    for (const resolve of resolvers) resolve(1)
    expect(await Promise.all(waiting)).toEqual(Array.from({ length: 5 }, () => ['error', 'lost']))
    let made = 0
    expect(await settled(calls.call(() => { made++; return Promise.resolve(1) }))).toEqual(['error', 'lost'])
    expect([calls.size, made]).toEqual([0, 0])
  })
})

describe('errors over Comlink (MW-70)', () => {
  test('every code crosses with class, fields, cause and the other side’s stack', async () => {
    useErrorCodec(decodeError)
    useErrorCodec(decodeError)
    const { port1, port2 } = new MessageChannel()
    expose({
      raise(code: string): never {
        const [kind, httpStatus] = ERROR_CODES[code]!
        throw new MillraceError(`About ${code}`, {
          code, kind, httpStatus, hint: 'mend it', retryable: true, details: { n: 1, list: ['a'] }, nodeId: 'n', nodeType: 't', port: 'p',
          edge: 'e', runId: 'r', operation: 'o', attempt: 2, delivery: 3,
          cause: new RangeError('inner', { cause: new TypeError('innermost') }),
        })
      },
      plain(): never { throw new RangeError('plain') },
      text(): never { throw 'a string' },
    }, port2)
    const remote = wrap<{ raise(code: string): void; plain(): void; text(): void }>(port1)
    const caught = (promise: Promise<unknown>): Promise<Error> =>
      promise.then(() => { throw new Error('no error came') }, (error: unknown) => error as Error)
    for (const [code, [kind, httpStatus]] of Object.entries(ERROR_CODES)) {
      const error = await caught(remote.raise(code))
      expect(isMillraceError(error)).toBe(true)
      expect(error).toMatchObject({
        code, kind, httpStatus, message: `About ${code}`, hint: 'mend it', retryable: true, details: { n: 1, list: ['a'] }, nodeId: 'n',
        nodeType: 't', port: 'p', edge: 'e', runId: 'r', operation: 'o', attempt: 2, delivery: 3,
      })
      expect((error as MillraceError).remoteStack).toContain('raise')
      expect(error.cause).toBeInstanceOf(RangeError)
      expect((error.cause as Error).cause).toBeInstanceOf(TypeError)
    }
    expect(Object.keys(ERROR_CODES).length).toBeGreaterThan(40)
    expect(await caught(remote.plain())).toBeInstanceOf(RangeError)
    expect(await caught(remote.text())).toMatchObject({ code: 'INTERNAL', details: { original: 'a string' } })
    port1.close()
    port2.close()
  })

  test('a trap is known as one on the other side', () => {
    let trap: unknown
    try {
      (new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(
        0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11,
      ))).exports['t'] as () => void)()
    } catch (error) {
      trap = error
    }
    const back = faultError(structuredClone(faultOf(trap)))
    expect(back).toBeInstanceOf(WebAssembly.RuntimeError)
    expect([back.message, back.stack]).toEqual([(trap as Error).message, (trap as Error).stack])
    expect(faultError(faultOf(new RangeError('deep')))).toBeInstanceOf(RangeError)
    expect(faultError(faultOf('text')).message).toBe('text')
  })
})
