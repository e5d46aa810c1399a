/**
 * Code at a web address (GR-31): its bytes are fetched once per type, hashed, and what threads import is compared with them; a type
 * that is replaced has its code fetched again.
 */
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGraph, defineNode, json, type NodeDefinition } from '../../src/index.js'
import { HashFacts } from '../../src/engine/hash-facts.js'
import { sha256 } from '../../src/graph/sha256.js'
import { requireSame, webBytes } from '../../src/workers/script/web-code.js'

let server: Server, origin = '', body = 'one', status = 200, asked = 0
beforeAll(async () => {
  server = createServer((_request, response) => {
    asked++
    response.writeHead(status, { 'Content-Type': 'text/javascript', 'Cache-Control': 'max-age=600' }).end(body)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterAll(() => { server.closeAllConnections(); server.close() })

const type = (): NodeDefinition => defineNode({
  version: '1.0.0', title: 'Own', doc: 'A test\'s own.', family: 'test', type: 'test::own', thread: 'worker', params: {}, inputs: {},
  outputs: { out: { media: json() } }, codeURL: `${origin}/own.js`,
} as never).definition
const digest = (text: string): Uint8Array => sha256(new TextEncoder().encode(text)), signal = new AbortController().signal
const moduleOf = async (facts: HashFacts, definition: NodeDefinition): Promise<Uint8Array | undefined> =>
  (await facts.of(createGraph({ nodes: [{ id: 'a', definition }, { id: 'b', definition }] as never }), new Map(), signal))
    .moduleHash?.(definition)

test('fetched once; a replaced type is fetched again; what cannot be had is asked for again', async () => {
  const facts = new HashFacts({}, undefined, 2 ** 20, Date.now), own = type()
  asked = 0
  for (let n = 0; n < 3; n++) expect(await moduleOf(facts, own)).toEqual(digest('one'))
  expect([asked, facts.codeMark(own), facts.codeBytes(own)])
    .toEqual([1, expect.stringMatching(/^[\da-f]{16}$/), new TextEncoder().encode('one')])
  body = 'two'
  // What was loaded is what is hashed, for as long as its type lives.
  expect(await moduleOf(facts, own)).toEqual(digest('one'))
  const next = type()
  expect(await moduleOf(facts, next)).toEqual(digest('two'))
  expect(facts.codeMark(next)).not.toBe(facts.codeMark(own))
  facts.forget(own)
  expect(await moduleOf(facts, own)).toEqual(digest('two'))
  const absent = type()
  status = 404
  expect([await moduleOf(facts, absent), facts.codeMark(absent), facts.codeBytes(absent)]).toEqual([undefined, undefined, undefined])
  status = 200
  await facts.lookAt(absent, signal)
  expect(facts.codeMark(absent)).toBe(facts.codeMark(next))
})

test('of web addresses only; a thread refuses other bytes than those that were hashed', async () => {
  body = 'two'
  const bytes = (await webBytes(`${origin}/own.js#millrace=00`))!
  await requireSame(`${origin}/own.js#millrace=00`, bytes)
  body = 'three'
  await expect(requireSame(`${origin}/own.js`, bytes)).rejects.toMatchObject({ name: 'CodeChanged' })
  body = 'twi'
  await expect(requireSame(`${origin}/own.js`, bytes)).rejects.toMatchObject({ name: 'CodeChanged' })
  for (const other of ['own.js', '/own.js', 'file:///own.js', 'data:text/javascript,1', 'C:\\own.js']) expect(await webBytes(other))
    .toBeUndefined()
})
