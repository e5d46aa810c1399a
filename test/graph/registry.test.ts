import { describe, expect, test } from 'vitest'
import { defineNode } from '../../src/graph/define-node.js'
import { createRegistry } from '../../src/graph/registry.js'
import { audio } from '../../src/media/media-type.js'
import { mix, resample, source, testRegistry, vad } from '../support/sample-nodes.js'

const thrown = (run: () => unknown): unknown => { try { run() } catch (error) { return error } return undefined }
const another = (type: string, aliases: readonly string[] = []): { readonly definition: typeof source.definition } =>
  defineNode({ ...source.definition, type: type as 'test::source', aliases, outputs: { out: { media: audio() } } })

describe('registry', () => {
  test('finds by id and alias, lists sorted by id', () => {
    const registry = testRegistry()
    expect(registry.get('test::resample')).toBe(resample.definition)
    expect(registry.get('AudioResampleNode')).toBe(resample.definition)
    expect(registry.get('toString')).toBeUndefined()
    expect(registry.has('__proto__')).toBe(false)
    const ids = registry.list().map((definition) => definition.type)
    expect(ids).toEqual([...ids].sort())
    expect([...registry.schemas().keys()]).toEqual(ids)
    expect(registry.schema('AudioResampleNode')).toMatchObject({ title: 'Resample' })
    expect(registry.schema('no::such')).toBeUndefined()
  })

  test('two registries do not see each other', () => {
    const a = createRegistry(source), b = createRegistry(mix)
    a.add(vad)
    a.alias('Detector', 'test::vad')
    expect([b.has('test::source'), b.has('test::vad'), b.has('Detector'), a.has('test::mix')]).toEqual([false, false, false, false])
    expect(b.list()).toHaveLength(1)
  })

  test('a taken id or alias is DUPLICATE_ID, and nothing of the call is added', () => {
    const registry = createRegistry(source, resample)
    expect(thrown(() => registry.add(mix, source)))
      .toMatchObject({ code: 'DUPLICATE_ID', message: 'Node type test::source: defined twice, at test::source and test::source.' })
    expect(registry.has('test::mix')).toBe(false)
    expect(thrown(() => registry.add(another('new::one', ['AudioResampleNode']))))
      .toMatchObject({ code: 'DUPLICATE_ID', details: { first: 'test::resample', second: 'new::one' } })
    expect(registry.has('new::one')).toBe(false)
    expect(thrown(() => registry.alias('test::source', 'test::resample'))).toMatchObject({ code: 'DUPLICATE_ID' })
    expect(thrown(() => createRegistry(source, source))).toMatchObject({ code: 'DUPLICATE_ID' })
  })

  test('alias: a foreign name for a known type', () => {
    const registry = createRegistry(resample)
    registry.alias('Resampler', 'AudioResampleNode')
    registry.alias('Resampler', 'test::resample')
    expect(registry.get('Resampler')).toBe(resample.definition)
    expect([...registry.aliases()]).toEqual([['AudioResampleNode', 'test::resample'], ['Resampler', 'test::resample']])
    expect(thrown(() => registry.alias('X', 'no::such'))).toMatchObject({ code: 'NODE_TYPE_UNKNOWN' })
  })

  test('remove takes the aliases along', () => {
    const registry = createRegistry(source, resample)
    expect(registry.remove('test::resample')).toBe(true)
    expect(registry.remove('test::resample')).toBe(false)
    expect([registry.has('test::resample'), registry.has('AudioResampleNode'), registry.has('test::source')]).toEqual([false, false, true])
    registry.add(resample)
    expect(registry.has('AudioResampleNode')).toBe(true)
  })

  test('extend lays a live layer over another', () => {
    const base = createRegistry(source, resample), own = another('test::source'), layer = base.extend(own)
    expect(layer.get('test::source')).toBe(own.definition)
    expect(base.get('test::source')).toBe(source.definition)
    expect(layer.get('AudioResampleNode')).toBe(resample.definition)
    base.add(mix)
    expect(layer.list().map((definition) => definition.type)).toEqual(['test::mix', 'test::resample', 'test::source'])
    layer.add(vad)
    expect(base.has('test::vad')).toBe(false)
    expect(layer.remove('test::source')).toBe(true)
    expect(layer.get('test::source')).toBe(source.definition)
    expect(layer.remove('test::resample')).toBe(false)
  })
})
