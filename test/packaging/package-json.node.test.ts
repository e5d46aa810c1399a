/** Rules of package.json and the lock file (PK-02, PK-06, PK-10, PK-12; packaging.md section 1). */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const manifest = JSON.parse(read('package.json')) as Record<string, unknown> & {
  devDependencies: Record<string, string>
  scripts: Record<string, string>
  exports: Record<string, string | Record<string, string>>
  files: string[]
}
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { version?: string; dev?: boolean; resolved?: string; devDependencies?: Record<string, string> }>
}

describe('package.json', () => {
  test('installs nothing at run time', () => {
    expect(manifest['dependencies'] ?? {}).toEqual({})
    expect(Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev && !('devOptional' in entry)).map(([path]) =>
      path)).toEqual([])
  })

  test('pins exact versions, equal in the lock file', () => {
    for (const [name, range] of Object.entries(manifest.devDependencies)) {
      expect(range, name).toMatch(/^\d+\.\d+\.\d+$/)
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(range)
    }
    expect(lock.packages['']?.devDependencies).toEqual(manifest.devDependencies)
    expect(manifest['overrides']).toEqual({ rollup: '4.67.4' })
    expect(manifest['allowScripts']).toEqual({ esbuild: false })
  })

  test('keeps vitest and its companions equal', () => {
    const versions = ['vitest', '@vitest/browser-playwright', '@vitest/coverage-v8'].map((name) => manifest.devDependencies[name])
    expect(new Set(versions).size).toBe(1)
  })

  test('runs no script at install and never depends on wasm-pack', () => {
    for (const hook of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'preprepare', 'postprepare']) {
      expect(manifest.scripts[hook], hook).toBeUndefined()
    }
    expect(Object.keys(lock.packages).filter((path) => path.endsWith('node_modules/wasm-pack'))).toEqual([])
    expect(read('.npmrc')).not.toMatch(/engine-strict/)
  })

  test('is ESM with types first, then default, and no other condition', () => {
    expect(manifest['type']).toBe('module')
    expect(manifest['sideEffects']).toBe(false)
    expect(manifest['browser']).toBeUndefined()
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue
      expect(Object.keys(target), entry).toEqual(['types', 'default'])
    }
  })

  test('the lock file names no registry host', () => {
    expect(Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([])
  })

  test('peers are optional, every one', () => {
    const peers = Object.keys((manifest['peerDependencies'] ?? {}) as object)
    const meta = (manifest['peerDependenciesMeta'] ?? {}) as Record<string, { optional?: boolean }>
    for (const peer of peers) expect(meta[peer]?.optional, peer).toBe(true)
  })

  test('every script runs a file that exists', () => {
    for (const [name, line] of Object.entries(manifest.scripts)) {
      for (const [, file] of line.matchAll(/node (\S+\.mjs)/g)) {
        expect(existsSync(new URL(`../../${file}`, import.meta.url)), `${name}: ${file}`).toBe(true)
      }
    }
  })
})
