import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadPeer } from '../../src/index.js'
import { PEER_RANGES } from '../../src/formats/load-peer.js'

const own = (name: string): Promise<unknown> => import(/* @vite-ignore */ name)

test('a package that is installed is given as it is', async () => {
  const semver = await loadPeer<{ satisfies(version: string, range: string): boolean }>('Test', 'semver', { load: own })
  expect(semver.satisfies('1.2.3', '^1.0.0')).toBe(true)
})

test.each([
  ['own import', undefined], ['given import', own],
] as const)('a package that is not there is PEER_MISSING with the line that installs it (%s)', async (_, load) => {
  await expect(loadPeer('Voice detector', 'no-such-runtime', { range: '^1.20.0', ...(load && { load }) })).rejects.toMatchObject({
    code: 'PEER_MISSING', kind: 'environment', httpStatus: 501,
    message: 'Voice detector: optional package no-such-runtime ^1.20.0 is not installed.',
    hint: 'npm install no-such-runtime@"^1.20.0"', details: { name: 'no-such-runtime', range: '^1.20.0' },
  })
})

test('what a package throws at import is its own, as is a package that misses one of its own', async () => {
  const broken = new Error('out of order')
  const inner = Object.assign(new Error("Cannot find package 'deeper' imported from /x.js"), { code: 'ERR_MODULE_NOT_FOUND' })
  for (const error of [broken, inner]) {
    await expect(loadPeer('Test', 'some-pack', { load: () => Promise.reject(error) })).rejects.toBe(error)
  }
})

test('a page without the name in its import map', async () => {
  const error = new TypeError('Failed to resolve module specifier "some-pack"')
  await expect(loadPeer('Test', 'some-pack', { load: () => Promise.reject(error) })).rejects
    .toMatchObject({ code: 'PEER_MISSING', cause: error })
})

test('the table of ranges is that of package.json, and each is optional there', () => {
  const {
    peerDependencies, peerDependenciesMeta,
  } = JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies: Record<string, string>; peerDependenciesMeta: object }
  expect(peerDependencies).toEqual(PEER_RANGES)
  expect(peerDependenciesMeta).toEqual(Object.fromEntries(Object.keys(PEER_RANGES).map((name) => [name, { optional: true }])))
})

/** Looks for packages where none are installed. */
const elsewhere = createRequire(join(tmpdir(), 'no-packages-here.js'))

test.each(Object.entries(PEER_RANGES))('%s, when it is absent: PEER_MISSING with its line', async (name, range) => {
  const failure = {
    code: 'PEER_MISSING',
    message: `Test: optional package ${name} ${range} is not installed.`,
    hint: `npm install ${name}@"${range}"`,
  }
  await expect(loadPeer('Test', name, { load: async (wanted) => elsewhere(wanted) as unknown })).rejects.toMatchObject(failure)
  // As Node's import and a page say it.
  for (const error of [
    Object.assign(new Error(`Cannot find package '${name}' imported from /x.js`), { code: 'ERR_MODULE_NOT_FOUND' }),
    new TypeError(`Failed to resolve module specifier "${name}"`),
  ]) {
    await expect(loadPeer('Test', name, { load: () => Promise.reject(error) })).rejects.toMatchObject({ ...failure, cause: error })
  }
})
