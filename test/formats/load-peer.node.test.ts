import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadPeer } from '../../src/index.js'
import { PEER_RANGES } from '../../src/formats/load-peer.js'

const own = (name: string): Promise<unknown> => import(/* @vite-ignore */ name)

test('a package that is installed is given as it is', async () => {
  const semver = await loadPeer<{ satisfies(version: string, range: string): boolean }>('Test', 'semver', { load: own })
  expect(semver.satisfies('1.2.3', '^1.0.0')).toBe(true)
})

test.each([['own import', undefined], ['given import', own]] as const)('a package that is not there is PEER_MISSING with the line that installs it (%s)', async (_, load) => {
  await expect(loadPeer('Voice detector', 'no-such-runtime', { range: '^1.20.0', ...(load && { load }) })).rejects.toMatchObject({
    code: 'PEER_MISSING', kind: 'environment', httpStatus: 501, message: 'Voice detector: optional package no-such-runtime ^1.20.0 is not installed.',
    hint: 'npm install no-such-runtime@"^1.20.0"', details: { name: 'no-such-runtime', range: '^1.20.0' },
  })
})

test('what a package throws at import is its own, as is a package that misses one of its own', async () => {
  const broken = new Error('out of order'), inner = Object.assign(new Error("Cannot find package 'deeper' imported from /x.js"), { code: 'ERR_MODULE_NOT_FOUND' })
  for (const error of [broken, inner]) await expect(loadPeer('Test', 'some-pack', { load: () => Promise.reject(error) })).rejects.toBe(error)
})

test('a page without the name in its import map', async () => {
  const error = new TypeError('Failed to resolve module specifier "some-pack"')
  await expect(loadPeer('Test', 'some-pack', { load: () => Promise.reject(error) })).rejects.toMatchObject({ code: 'PEER_MISSING', cause: error })
})

test('the table of ranges is that of package.json', () => {
  const { peerDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies?: object }
  expect(PEER_RANGES).toEqual(peerDependencies)
})
