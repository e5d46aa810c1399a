import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { readWav } from '../../../src/formats/wav/wav-reader.js'
import { makeWav, valuesOf } from '../wav/make-wav.js'

const values = valuesOf('i16', 200_000)
const file = makeWav({ coding: 'i16', values })
let server: Server | undefined
let requests: string[] = []
afterEach(async () => {
  requests = []
  server?.closeAllConnections()
  await new Promise<void>((resolve) => { if (server) server.close(() => resolve()); else resolve() })
  server = undefined
})

async function serve(handler: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    requests.push(request.headers.range ?? 'none')
    handler(request, response)
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/talk.wav`
}

const ranged: RequestListener = (request, response) => {
  const match = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')!
  const from = Number(match[1]), to = Math.min(file.length - 1, match[2] ? Number(match[2]) : file.length - 1)
  response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${file.length}`, 'content-length': to - from + 1 })
  response.end(file.subarray(from, to + 1))
}

async function readAll(url: string): Promise<number[]> {
  const reader = await readWav(url)
  const samples: number[] = []
  for await (const chunk of reader.chunks(10_000)) for (const sample of chunk.samples) samples.push(sample)
  await reader.close()
  return samples
}

describe('http', () => {
  test('with ranges: one request for the head, one for the rest', async () => {
    expect(await readAll(await serve(ranged))).toEqual(values)
    expect(requests).toEqual(['bytes=0-65535', 'bytes=65536-'])
  })

  test('seeking opens one range', async () => {
    const reader = await readWav(await serve(ranged))
    const target = new Int16Array(3)
    for (const frame of [150_000, 10, 150_010]) {
      await reader.seek(frame)
      expect(await reader.read(target)).toBe(3)
      expect([...target]).toEqual(values.slice(frame, frame + 3))
    }
    await reader.close()
    expect(requests).toEqual(['bytes=0-65535', `bytes=${44 + 300_000}-`])
  })

  test('without ranges: one stream', async () => {
    expect(await readAll(await serve((_, response) => { response.writeHead(200, { 'content-length': file.length }); response.end(file) })))
      .toEqual(values)
    expect(requests).toHaveLength(1)
  })

  test('without length: to the end', async () => {
    expect(await readAll(await serve((_, response) => { response.writeHead(200); response.end(file) }))).toEqual(values)
  })

  test('an empty file', async () => {
    const url = await serve((_, response) => { response.writeHead(416, { 'content-range': 'bytes */0' }); response.end() })
    await expect(readWav(url)).rejects.toMatchObject({ code: 'FILE_INVALID', details: { got: 'an empty file' } })
  })

  test('a refusal, a server that is gone, a cancel', async () => {
    const url = await serve((_, response) => { response.writeHead(404); response.end() })
    await expect(readWav(url)).rejects.toMatchObject({ code: 'NETWORK', details: { reason: 'status 404' } })
    await expect(readWav('http://127.0.0.1:1/x.wav')).rejects.toMatchObject({ code: 'NETWORK' })
    const control = new AbortController()
    const hanging = await serve(() => control.abort(new Error('enough')))
    await expect(readWav(hanging, { signal: control.signal })).rejects.toThrow('enough')
  })
})
