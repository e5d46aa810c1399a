import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Document } from '../../../src/graph/document/document.js'
import { fromDocument } from '../../../src/graph/document/from-document.js'
import { parseDocument } from '../../../src/graph/document/parse-document.js'
import { writeDocument } from '../../../src/graph/document/write-document.js'
import { exportDocument } from '../../../src/graph/dialects/export-document.js'
import { importDocument } from '../../../src/graph/dialects/import-document.js'
import { hashGraph } from '../../../src/graph/hash.js'
import { createRegistry, type Registry } from '../../../src/graph/registry.js'
import { validate } from '../../../src/graph/validate/index.js'
import { flatGraph } from '../../../src/graph/subgraph/flatten.js'
import { comfyRegistry } from '../../support/dialect-nodes.js'
import type { Loose } from '../../support/loose.js'

const folder = fileURLToPath(new URL('comfyui', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort()
const read = (name: string): string => readFileSync(`${folder}/${files.find((file) => file.startsWith(name))!}`, 'utf8')
const dialectOf = (name: string): 'comfyui-api' | 'comfyui-workflow' => name.endsWith('.api.json') ? 'comfyui-api' : 'comfyui-workflow'

/** Key order, node order and link order are the writer's: sorted on both sides. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(canonical)
    return items.every((item) => typeof item === 'object' && item !== null && ('id' in item || Array.isArray(item)))
      ? items.sort((a, b) => idOf(a) < idOf(b) ? -1 : 1)
      : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]): [string, unknown] => [key, canonical(item)]).sort(([a], [b]) =>
    a < b ? -1 : 1))
}
const idOf = (value: unknown): string => String(Array.isArray(value) ? value[0] : (value as { id: unknown }).id).padStart(40, '0')

const registries: readonly (readonly [string, Registry])[] = [['with the types', comfyRegistry()], ['without types', createRegistry()]]

describe('ComfyUI files', () => {
  test('20 of them', () => { expect(files).toHaveLength(20) })

  test.each(files.flatMap((file) => registries.map(([how, registry]) => ({ file, how, registry }))))('$file $how: export(import(x)) is x', (
    { file, registry },
  ) => {
    const text = readFileSync(`${folder}/${file}`, 'utf8')
    const { document, report } = importDocument(text, { registry })
    expect(report.dialect).toBe(dialectOf(file))
    expect(parseDocument(writeDocument(document), { strict: true }).diagnostics).toEqual([])
    const again = exportDocument(fromDocument(parseDocument(writeDocument(document)).document, registry), report.dialect)
    expect(canonical(JSON.parse(again.text))).toEqual(canonical(JSON.parse(text)))
    expect(again.report.dropped).toEqual([])
    expect(again.text).toBe(exportDocument(fromDocument(document, registry), report.dialect).text)
  })
})

const registry = comfyRegistry()
const imported = (name: string, types: Registry | null = registry): ReturnType<typeof importDocument> =>
  importDocument(read(name), types === null ? {} : { registry: types })
const edges = (document: Document): string[] => (document.edges ?? []).map(({ from, to }) => `${from.join('.')} -> ${to.join('.')}`)
const node = (document: Document, id: string): Document['nodes'][number] => document.nodes.find((one) => one.id === id)!
const exported = (
  document: unknown, dialect: 'comfyui-api' | 'comfyui-workflow' = 'comfyui-workflow',
): { readonly json: Loose; readonly report: ReturnType<typeof exportDocument>['report'] } => {
  const { text, report } = exportDocument(fromDocument(document, registry), dialect)
  return { json: JSON.parse(text), report }
}

describe('what an import means', () => {
  test('both shapes and both versions of one graph have one hash', () => {
    const hashes = ['01', '02', '03'].map((name) => hashGraph(fromDocument(imported(name).document, registry)).graph)
    expect(new Set(hashes).size).toBe(1)
  })

  test('types by alias, widgets by position, output nodes, layout', () => {
    const { document, report } = imported('01')
    expect(node(document, '3')).toMatchObject({
      type: 'test::k-sampler',
      params: { seed: 156680208700286, steps: 20, cfg: 8, sampler_name: 'euler', scheduler: 'normal', denoise: 1 },
      ui: { x: 863, y: 186, width: 315, height: 98 },
    })
    expect(node(document, '6')).toMatchObject({ params: { text: 'a lighthouse at dusk' }, ui: { title: 'Positive', color: '#232' } })
    expect(node(document, '5').ui).toMatchObject({ collapsed: true })
    expect(node(document, '9')).toMatchObject({ output: true, params: { filename_prefix: 'ComfyUI' } })
    expect(node(document, '8')).not.toHaveProperty('params')
    expect(edges(document)).toContain('4.vae -> 8.vae')
    expect(report).toMatchObject({ nodes: 7, missing: [], dropped: [], warnings: [] })
    expect(report.renamed).toContainEqual({ pointer: '/nodes/4/type', from: 'KSampler', to: 'test::k-sampler' })
    const api = imported('03')
    expect(node(api.document, '6')).toMatchObject({ params: { text: 'a lighthouse at dusk' }, ui: { title: 'Positive' } })
    expect(node(api.document, '9')).toMatchObject({ output: true })
    expect(api.report.renamed).toContainEqual({ pointer: '/3/class_type', from: 'KSampler', to: 'test::k-sampler' })
  })

  test('reroutes become edges, chains of them too', () => {
    expect(edges(imported('04').document)).toEqual(['1.image -> 3.images'])
    const { document, report } = imported('05')
    expect(edges(document).sort()).toEqual(['1.image -> 5.images', '1.image -> 6.images', '1.image -> 7.images'])
    expect(document.nodes.map((one) => one.id)).toEqual(['1', '5', '6', '7'])
    expect(report.substituted.map((one) => `${one.pointer} ${one.what} as ${one.by}`))
      .toEqual(['/nodes/1 Reroute as edges', '/nodes/2 Reroute as edges', '/nodes/3 Reroute as edges'])
    expect(edges(imported('06').document)).toEqual(['1.image -> 3.images'])
  })

  test('primitives become params; their widgets keep what they said', () => {
    const { document, report } = imported('08')
    expect(node(document, '2').params).toEqual({ width: 1024, height: 1024, batch_size: 1 })
    expect(node(document, '3').params).toEqual({ width: 1024, height: 512, batch_size: 1 })
    expect(document.edges).toEqual([])
    expect(report.substituted).toEqual([{ pointer: '/nodes/0', what: 'PrimitiveNode', by: 'params' }])
    expect(node(imported('09').document, '2').params).toMatchObject({ width: 640, height: 512 })
  })

  test('groups and notes are the document’s ui', () => {
    expect(imported('10').document.ui).toEqual({
      groups: [
        { title: 'In', x: -10, y: -80, width: 340, height: 380, color: '#3f789e' },
        { title: 'Out', x: 590, y: -80, width: 340, height: 380, color: '#b06634' }],
    })
    const { document } = imported('11')
    expect(document.ui).toMatchObject({
      comments: [
        { id: '3', text: 'Use a square photo.\nKeep it small.', x: 0, y: 400, color: '#432' },
        { id: '4', text: '# Models\n[here](https://example.org)', title: 'Read me' },
      ],
    })
    expect(document.nodes).toHaveLength(2)
  })

  test('modes: 2 is mute, 4 is bypass, others run with a warning', () => {
    expect(node(imported('12').document, '2').mode).toBe('bypass')
    expect(node(imported('13').document, '3').mode).toBe('mute')
    const { document, report } = imported('20')
    expect(document.nodes.map((one) => one.mode)).toEqual([undefined, undefined, undefined, undefined])
    expect(report.warnings).toMatchObject([{
      code: 'IMPORT_NOTE', severity: 'warning', pointer: '/nodes/1/mode', message: '/nodes/1/mode: mode 1 is read as run.',
    }])
    expect(report.dropped).toEqual([{ pointer: '/links', what: 'link 5: comes from nowhere' }])
  })

  test('subgraphs become definitions with inputs, outputs and exposed params', () => {
    const id = '7b1c5a1e-3f0d-4a41-9a57-1f2e3d4c5b6a', { document, report } = imported('14')
    expect(node(document, '5').type).toBe(`graph::${id}`)
    expect(edges(document)).toEqual(['1.image -> 5.image', '5.IMAGE -> 3.images'])
    const inner = document.definitions![id] as Document
    expect(inner).toMatchObject({
      meta: { name: 'Half size' }, inputs: { image: { to: [['1', 'image']] } }, outputs: { IMAGE: ['2', 'image'] },
    })
    expect(edges(inner)).toEqual(['1.image -> 2.image'])
    expect(report.nodes).toBe(5)
    const nested = imported('15').document, resizeAndSave = nested.definitions!['c0ffee00-1234-4abc-8def-001122334455'] as Document
    expect(resizeAndSave).toMatchObject({
      inputs: { image: { to: [['7', 'image']] } }, outputs: { resized: ['7', 'IMAGE'] }, meta: { description: 'Two in one' },
    })
    expect(edges(resizeAndSave)).toEqual(['7.IMAGE -> 9.images'])
    expect((nested.definitions![id] as Document).inputs).toMatchObject({ width: { to: [['1', 'width']] } })
  })

  test('imported subgraphs run as the same graph written out by hand', () => {
    const { document } = imported('14'), flat = flatGraph(fromDocument(document, registry), registry)
    expect(flat.nodes.map((one) => one.id)).toEqual(['1', '5/1', '5/2', '3'])
    const byHand = fromDocument({ millrace: 1, nodes: [{ id: 'a', type: 'LoadImage', params: { image: 'photo.png' } },
      ...['b', 'c'].map((name) =>
        ({ id: name, type: 'ImageScale', params: { upscale_method: 'lanczos', width: 1024, height: 1024, crop: 'disabled' } })),
      { id: 'd', type: 'SaveImage', output: true, params: { filename_prefix: 'out' } }],
    edges: [
      { from: ['a', 'image'], to: ['b', 'image'] },
      { from: ['b', 'image'], to: ['c', 'image'] },
      { from: ['c', 'image'], to: ['d', 'images'] },
    ] }, registry)
    expect(hashGraph(flat).graph).toBe(hashGraph(byHand).graph)
  })

  test('types that nobody knows: kept, named where the file names their widgets', () => {
    const { document, report } = imported('16')
    expect(node(document, '1')).toMatchObject({
      type: 'comfyui::Load_Image__Inspire_', 'x-type': { was: 'Load Image (Inspire)' },
      params: { widgets_values: ['a.png', null, true, { deep: [1] }] },
    })
    expect(edges(document)).toEqual(['1.IMAGE -> 12:0.image', '1.1 -> 12:0.1', '12:0.0 -> 3.in'])
    expect(node(document, '3')).toMatchObject({ output: true })
    expect(report.missing.map((one) => `${one.pointer} ${one.type}`)).toEqual([
      '/nodes/0/type Load Image (Inspire)', '/nodes/1/type workflow>group',
      '/nodes/2/type Very long class name of a pack that nobody has installed here (v2)'])
    expect(imported('16', null).report.missing).toEqual([])
    expect(node(imported('17').document, '11').params).toEqual({ noise_seed: 99, strength: 0.5, label: 'fixed' })
    expect(node(imported('17').document, '3').params).toMatchObject({ seed: 42, denoise: 0.75 })
    expect(edges(imported('17').document)).toContain('11.INT -> 3.seed')
    expect(node(imported('18').document, '2')).toMatchObject({ output: true, params: { frame_rate: 8, videopreview: { hidden: false } } })
    expect(importDocument('{"1":{"class_type":"KSamplr","inputs":{}}}', { registry }).report.missing)
      .toEqual([{ pointer: '/1/class_type', type: 'KSamplr', near: ['KSampler'] }])
  })

  test('API values: links, wrapped lists, other lists', () => {
    const { document } = imported('19')
    expect(node(document, '10:0').params).toEqual({ sizes: ['512', 1], list: [1, 2, 3], pair: [64, 64], map: { a: { b: null } } })
    expect(edges(document)).toEqual(['10:1.vae -> 10:0.model', '10:0.7 -> out.images'])
  })
})

describe('export after edits', () => {
  test('a changed param, a new node, a new edge, one removed, one unchanged', () => {
    const { document } = imported('01')
    const edited = { ...document,
      nodes: [...document.nodes.filter((one) => one.id !== '9').map((one) => one.id === '3'
        ? { ...one, params: { ...one.params, steps: 30 }, mode: 'mute' as const, ui: { ...one.ui as object, x: 900 } }
        : one),
        { id: 'scale', type: 'test::resize', params: { width: 256 } }],
      edges: [...document.edges!.filter(({ to }) => to[0] !== '9'), { from: ['8', 'image'] as const, to: ['scale', 'image'] as const }] }
    const { json, report } = exported(edited)
    const byId = new Map<unknown, Loose>(json.nodes.map((one: Loose) => [one.id, one]))
    expect(byId.get(3))
      .toMatchObject({ widgets_values: [156680208700286, 'randomize', 30, 8, 'euler', 'normal', 1], mode: 2, pos: [900, 186] })
    expect(byId.has(9)).toBe(false)
    expect(byId.get(10)).toMatchObject({
      type: 'ImageScale', widgets_values: ['lanczos', 256, 512, 'disabled'], inputs: [{ name: 'image', link: 10 }],
    })
    expect(byId.get(8).outputs).toMatchObject([{ links: [10] }])
    expect(json.links).toContainEqual([10, 8, 0, 10, 0, 'IMAGE'])
    expect(json.links).not.toContainEqual([9, 8, 0, 9, 0, 'IMAGE'])
    expect(json).toMatchObject({ last_node_id: 10, last_link_id: 10 })
    expect(report.renamed).toContainEqual({ pointer: '/nodes/6/id', from: 'scale', to: '10' })
    expect(importDocument(JSON.stringify(json), { registry }).document.edges).toHaveLength(9)
  })

  test('a reroute stays while its edge does, and is passed by when the edge has another source', () => {
    const { document } = imported('04')
    const moved = {
      ...document,
      nodes: [...document.nodes, { id: '8', type: 'test::load-image' }],
      edges: [{ ...document.edges![0]!, from: ['8', 'image'] as const }],
    }
    expect(exported(document).json.links).toEqual([[1, 1, 0, 2, 0, '*'], [2, 2, 0, 3, 0, 'IMAGE']])
    expect(exported(moved).json.links).toEqual([[1, 1, 0, 2, 0, '*'], [2, 8, 0, 3, 0, 'VIDEO']])
    expect(edges(importDocument(JSON.stringify(exported(moved).json), { registry }).document)).toEqual(['8.image -> 3.images'])
  })

  test('a primitive lets go of a param that was changed', () => {
    const { document } = imported('08')
    const changed = {
      ...document,
      nodes: document.nodes.map((one) => one.id === '2' ? { ...one, params: { ...one.params, width: 800 } } : one),
    }
    const { json, report } = exported(changed)
    expect(json.links).toEqual([[2, 1, 0, 2, 1, 'INT'], [3, 1, 0, 3, 0, 'INT']])
    expect(json.nodes.find((one: Loose) => one.id === 2))
      .toMatchObject({ widgets_values: [800, 512, 1], inputs: [{ link: null }, { link: 2 }] })
    expect(report.dropped).toEqual([{ pointer: '/x-comfyui/links', what: 'link 1: the param has another value than its primitive' }])
  })

  test('comments and groups: changed, removed, added', () => {
    const { document } = imported('11'), ui = document.ui as { readonly comments: readonly Record<string, unknown>[] }
    const { json } = exported({
      ...document,
      ui: {
        comments: [{ ...ui.comments[0], text: 'New' }, { text: 'Fresh', x: 5, y: 6 }],
        groups: [{ title: 'All', x: 1, y: 2, width: 3, height: 4 }],
      },
    })
    expect(json.nodes.filter((one: Loose) => /Note/.test(one.type))).toMatchObject([
      { id: 3, widgets_values: ['New'], properties: { text: '' } },
      { type: 'Note', widgets_values: ['Fresh'], pos: [5, 6] },
    ])
    expect(json.groups).toEqual([{ title: 'All', bounding: [1, 2, 3, 4] }])
  })

  test('a graph that never was a workflow: both shapes, and back', () => {
    const document: Document = { millrace: 1, meta: { name: 'Mine' }, inputs: { file: { to: [['load', 'image']] } },
      nodes: [
        { id: 'load', type: 'test::load-image', params: { image: 'a.png' } },
        { id: 'big', type: 'test::resize', mode: 'bypass', policy: { timeoutMs: 5 } },
        { id: 'save', type: 'test::save-image', ui: { title: 'Out' } },
      ],
      edges: [{ from: ['load', 'image'], to: ['big', 'image'], capacity: 3 }, { from: ['big', 'image'], to: ['save', 'images'] }],
      config: { seed: 3 } }
    const workflow = exported(document)
    expect(workflow.json).toMatchObject({
      version: 0.4, last_node_id: 3, last_link_id: 2, links: [[1, 1, 0, 2, 0, 'VIDEO'], [2, 2, 0, 3, 0, 'VIDEO']],
    })
    expect(workflow.json.nodes[1]).toMatchObject({ id: 2, type: 'ImageScale', mode: 4 })
    expect(workflow.report.dropped.map((one) => one.pointer))
      .toEqual(['/inputs', '/config', '/meta/name', '/nodes/1/policy', '/edges/0/capacity'])
    expect(edges(importDocument(JSON.stringify(workflow.json), { registry }).document))
      .toEqual(['1.image -> 2.image', '2.image -> 3.images'])
    const api = exported(document, 'comfyui-api')
    expect(api.json).toEqual({
      load: { class_type: 'LoadImage', inputs: { image: 'a.png' } },
      save: { class_type: 'SaveImage', inputs: { images: ['load', 0] }, _meta: { title: 'Out' } },
    })
    expect(api.report.substituted).toEqual([
      { pointer: '/nodes/1/mode', what: 'bypass', by: 'a graph without the node' },
      { pointer: '/nodes/2/output', what: 'output: false', by: 'SaveImage, an output class' },
    ])
  })

  test('params that have no widget are told; extra widgets stay when the list is made anew', () => {
    const widgets = (fields: object): { readonly values: unknown; readonly dropped: unknown; readonly substituted: unknown } => {
      const { json, report } = exported({ millrace: 1, nodes: [{ id: '1', ...fields }], edges: [] })
      return {
        values: json.nodes[0].widgets_values, dropped: report.dropped,
        substituted: report.substituted.filter((one) => one.pointer !== '/definitions'),
      }
    }
    // A known type: by position, and a name that is none of its params.
    expect(widgets({ type: 'test::empty-latent', params: { width: 64, 'dep/th': 3 } })).toEqual({
      values: [64, 512, 1],
      dropped: [{ pointer: '/nodes/0/params/dep~1th', what: 'dep/th is no widget of EmptyLatentImage' }],
      substituted: [],
    })
    // Only names that are none: no positions to fall back to.
    expect(widgets({ type: 'mystery', params: { a: 1 } })).toEqual({
      values: [1], dropped: [],
      substituted: [{ pointer: '/nodes/0/params/a', what: 'param a', by: 'a widget without a name' }],
    })
    // Read without a value for one widget and with one too many; a param that was added makes the list anew.
    const kept = { raw: { id: 1, type: 'EmptyLatentImage' }, widgets: ['width', ['height', null, null], ['more']] }
    expect(widgets({ type: 'test::empty-latent', params: { width: 8, batch_size: 2 }, 'x-comfyui': kept }))
      .toEqual({ values: [8, null, 2, 'more'], dropped: [], substituted: [] })
    // Widgets without names are one list: a param beside it has no place.
    const unnamed = { raw: { id: 1, type: 'Mystery' }, widgets: ['widgets_values'] }
    expect(widgets({ type: 'mystery', params: { widgets_values: [1, 2], b: 3 }, 'x-comfyui': unnamed }))
      .toEqual({ values: [1, 2], dropped: [{ pointer: '/nodes/0/params/b', what: 'b is no widget of mystery' }], substituted: [] })
    // The list gone, its params have places without names.
    expect(widgets({ type: 'mystery', params: { b: 3 }, 'x-comfyui': unnamed })).toEqual({
      values: [3], dropped: [],
      substituted: [{ pointer: '/nodes/0/params/b', what: 'param b', by: 'a widget without a name' }],
    })
  })

  test('workflows as API prompts: subgraphs opened, muted nodes left out', () => {
    expect(exported(imported('14').document, 'comfyui-api').json).toMatchObject({
      '5/1': { inputs: { image: ['1', 0] } }, '5/2': { inputs: { image: ['5/1', 0] } }, '3': { inputs: { images: ['5/2', 0] } },
    })
    expect(Object.keys(exported(imported('13').document, 'comfyui-api').json)).toEqual(['1', '2', '4'])
    const unnamed = exported(imported('16').document, 'comfyui-api')
    expect(unnamed.json['1']).toEqual({ class_type: 'Load Image (Inspire)', inputs: {} })
    expect(unnamed.report.dropped)
      .toContainEqual({ pointer: '/nodes/0/params/widgets_values', what: 'widgets of an unknown type have no names' })
  })

  test('a subgraph of one’s own becomes a definition with ports', () => {
    const inner: Document = {
      millrace: 1, inputs: { picture: { to: [['r', 'image']] } }, nodes: [{ id: 'r', type: 'test::resize' }],
      outputs: { small: ['r', 'image'] },
    }
    const { json } = exported({ millrace: 1,
      nodes: [{ id: '1', type: 'test::load-image' }, { id: '2', type: 'graph::shrink' }, { id: '3', type: 'test::save-image' }],
      definitions: { shrink: inner },
      edges: [{ from: ['1', 'image'], to: ['2', 'picture'] }, { from: ['2', 'small'], to: ['3', 'images'] }] })
    const definition = json.definitions.subgraphs[0]
    expect(json.nodes[1].type).toBe(definition.id)
    expect(definition).toMatchObject({
      name: 'shrink', inputs: [{ name: 'picture', linkIds: [1] }], outputs: [{ name: 'small', linkIds: [2] }],
      links: [{ origin_id: -10, target_id: 1 }, { origin_id: 1, target_id: -20 }],
    })
    const back = importDocument(JSON.stringify(json), { registry }).document
    expect(back.definitions![definition.id])
      .toMatchObject({ inputs: { picture: { to: [['1', 'image']] } }, outputs: { small: ['1', 'image'] } })
  })
})

describe('files as they are met', () => {
  const node = (id: number, type: string, fields: object = {}): object => ({
    id, type, pos: [0, 0], size: [210, 58], flags: {}, order: 0, mode: 0, properties: {}, ...fields,
  })
  const workflow = (nodes: object[], links: unknown[], more: object = {}): object => ({
    last_node_id: 99, last_link_id: 99, nodes, links, groups: [], config: {}, extra: {}, version: 0.4, ...more,
  })
  const again = (document: Document): Loose =>
    JSON.parse(exportDocument(fromDocument(document, registry), 'comfyui-workflow').text) as Loose
  const scale = 'aaaaaaaa-1234-4abc-8def-001122334455'
  const definition = {
    id: scale, version: 1, state: { lastGroupId: 0, lastNodeId: 1, lastLinkId: 3, lastRerouteId: 0 }, revision: 0, config: {},
    name: 'Scale', groups: [], widgets: [], extra: {},
    inputNode: { id: -10, bounding: [0, 0, 1, 1] }, outputNode: { id: -20, bounding: [0, 0, 1, 1] },
    inputs: [{ id: 'a', name: 'width', type: 'INT', linkIds: [2] }, { id: 'b', name: 'image', type: 'IMAGE', linkIds: [1] }],
    outputs: [{ id: 'c', name: 'IMAGE', type: 'IMAGE', linkIds: [3] }],
    nodes: [node(1, 'ImageScale', {
      inputs: [{ name: 'image', type: 'IMAGE', link: 1 }, { name: 'width', type: 'INT', widget: { name: 'width' }, link: 2 }],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [3] }], widgets_values: ['lanczos', 1, 2, 'disabled'],
    })],
    links: [
      { id: 1, origin_id: -10, origin_slot: 1, target_id: 1, target_slot: 0, type: 'IMAGE' },
      { id: 2, origin_id: -10, origin_slot: 0, target_id: 1, target_slot: 1, type: 'INT' },
      { id: 3, origin_id: 1, origin_slot: 0, target_id: -20, target_slot: 0, type: 'IMAGE' },
    ],
  }
  const instances = (...fields: object[]): object => workflow(
    fields.map((one, i) => node(i + 1, scale, {
      inputs: [{ name: 'image', type: 'IMAGE', link: null }], outputs: [{ name: 'IMAGE', type: 'IMAGE', links: null }], ...one,
    })),
    [],
    { definitions: { subgraphs: [definition] } },
  )

  test('each instance of a subgraph has its own values of the widgets that lead inside', () => {
    const source = instances({ widgets_values: [640] }, { widgets_values: [320], properties: { proxyWidgets: [['-1', 'width']] } }, {
      widgets_values: [null],
    }, { widgets_values: [] }, {})
    const { document, report } = importDocument(source, { registry })
    expect(document.nodes.map(({ params }) => params)).toEqual([{ width: 640 }, { width: 320 }, undefined, undefined, undefined])
    expect(report.dropped).toEqual([])
    expect(flatGraph(fromDocument(document, registry), registry).nodes.map(({ params }) => params['width'])).toEqual([640, 320, 1, 1, 1])
    expect(canonical(again(document))).toEqual(canonical(source))
    const edited = { ...document, nodes: document.nodes.map((one) => ({ ...one, params: { width: 7, other: 1 } })) }
    const { text, report: told } = exportDocument(fromDocument(edited, registry), 'comfyui-workflow')
    expect((JSON.parse(text) as Loose).nodes.map((one: Loose) => one.widgets_values)).toEqual([[7], [7], [7], [], undefined])
    expect(told.dropped.map(({ pointer }) => pointer)).toEqual([
      '/nodes/0/params/other', '/nodes/1/params/other', '/nodes/2/params/other', '/nodes/3/params/width', '/nodes/3/params/other',
      '/nodes/4/params/width', '/nodes/4/params/other',
    ])
  })

  test('values of widgets within a subgraph, and values without names, are told', () => {
    const { document, report } = importDocument(
      instances({ widgets_values: [640, 5], properties: { proxyWidgets: [['-1', 'width'], ['1', 'height']] } }, {
        widgets_values: [1, 2, 3],
      }),
      { registry },
    )
    expect(document.nodes.map(({ params }) => params)).toEqual([{ width: 640 }, undefined])
    expect(report.dropped).toEqual([
      { pointer: '/nodes/0/widgets_values/1', what: 'a widget within: the definition’s value counts' },
      { pointer: '/nodes/1/widgets_values', what: 'values without names: the definition’s count' },
    ])
  })

  test('a link counts at the input that names it; one whose input names another, or whose node is gone, is none', () => {
    const source = workflow([
      node(1, 'LoadImage', { outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [7, 8, 9] }], widgets_values: ['a.png', 'image'] }),
      node(2, 'Odd', {
        inputs: [{ name: 'a', type: 'IMAGE', link: null }, { name: 'b', type: 'IMAGE', link: 7 }, { name: 'c', type: 'IMAGE', link: 9 }],
      }),
    ], [
      [7, 1, 0, 2, 0, 'IMAGE'], [8, 1, 0, 2, 2, 'IMAGE'], [9, 1, 0, 2, 2, 'IMAGE'], [10, 404, 0, 2, 0, 'IMAGE'],
      [11, 1, 0, 405, 0, 'IMAGE'],
    ])
    const { document, report } = importDocument(source, { registry })
    expect(edges(document)).toEqual(['1.image -> 2.b', '1.image -> 2.c'])
    expect(report.substituted).toEqual([{ pointer: '/links', what: 'link 7 to input 0 of node 2', by: 'one to input 1, which names it' }])
    expect(report.dropped.map(({ what }) => what))
      .toEqual(['link 8: its input has another link', 'link 10: comes from nowhere', 'link 11: leads nowhere'])
    const written = again(document)
    expect(written.nodes[1].inputs.map((socket: Loose) => socket.link)).toEqual([null, 7, 9])
    expect(written.links).toContainEqual([7, 1, 0, 2, 1, 'IMAGE'])
    expect(edges(importDocument(written, { registry }).document)).toEqual(edges(document))
  })

  test('a group node is kept whole, with a word', () => {
    const group = { nodes: [], links: [], external: [] }
    const { document, report } =
      importDocument(workflow([node(1, 'workflow>pair', { widgets_values: [512] })], [], { extra: { groupNodes: { pair: group } } }))
    expect(report.warnings).toMatchObject([{ code: 'IMPORT_NOTE', pointer: '/nodes/0/type' }])
    expect(again(document)).toMatchObject({
      nodes: [{ type: 'workflow>pair', widgets_values: [512] }], extra: { groupNodes: { pair: group } },
    })
  })
})

describe('hostile workflows', () => {
  test('circles of reroutes end', () => {
    const reroute = (id: number): object => ({ id, type: 'Reroute', inputs: [{ name: '', link: id }], outputs: [{ name: '', links: [] }] })
    const circle = {
      nodes: [reroute(1), reroute(2), { id: 3, type: 'SaveImage', inputs: [{ name: 'images', link: 3 }] }],
      links: [[1, 2, 0, 1, 0, '*'], [2, 1, 0, 2, 0, '*'], [3, 2, 0, 3, 0, '*']],
      version: 0.4,
    }
    const { document, report } = importDocument(circle, { registry })
    expect(document.edges).toEqual([])
    expect(report.dropped).toEqual([{ pointer: '/links', what: 'link 3: comes from nowhere' }])
  })

  test('a chain of 9 000 reroutes with a reader at each is read in one pass', () => {
    const count = 4_500, nodes: object[] = [{ id: 0, type: 'LoadImage', outputs: [{ name: 'IMAGE' }] }], links: unknown[] = []
    for (let i = 1; i <= count; i++) {
      nodes.push({ id: i, type: 'Reroute', inputs: [{ name: '' }], outputs: [{ name: '' }] }, {
        id: count + i, type: 'SaveImage', inputs: [{ name: 'images' }],
      })
      links.push([2 * i, i - 1, 0, i, 0, '*'], [2 * i + 1, i, 0, count + i, 0, '*'])
    }
    const { document } = importDocument(JSON.stringify({ nodes, links: links.reverse() }), { registry })
    expect(document.edges).toHaveLength(count)
    expect(new Set(document.edges!.map(({ from }) => from.join('.')))).toEqual(new Set(['0.image']))
  })

  test.each([
    ['/nodes/0/id', { nodes: [{ type: 'A' }], links: [] }], ['/nodes/0/type', { nodes: [{ id: 1, type: 7 }], links: [] }],
    ['/links/0', { nodes: [], links: [[1, 2]] }],
    ['/links/0/origin_id', { nodes: [], links: [{ id: 1, origin_slot: 0, target_id: 2, target_slot: 0 }] }],
    ['/nodes/0/inputs/0/name', { nodes: [{ id: 1, type: 'A', inputs: [{}] }], links: [] }],
    ['/definitions/subgraphs/0/nodes', { nodes: [], links: [], definitions: { subgraphs: [{ id: 'x' }] } }],
  ])('a workflow that breaks the format at %s', (pointer, source) => {
    expect(() => importDocument(source, { registry })).toThrow(expect.objectContaining({
      code: 'SCHEMA_INVALID',
      details: expect.objectContaining({ diagnostic: expect.objectContaining({ pointer }) as unknown }) as unknown,
    }))
  })

  test('an id given twice: both nodes stay, validate tells', () => {
    const { document } = importDocument(
      { nodes: [{ id: 1, type: 'SaveImage', widgets_values: ['a'] }, { id: '1', type: 'LoadImage', widgets_values: ['b'] }], links: [] },
      { registry },
    )
    expect(document.nodes)
      .toMatchObject([{ type: 'test::save-image', params: { filename_prefix: 'a' } }, { type: 'test::load-image', params: { image: 'b' } }])
    expect(validate(document, registry).filter((one) => one.stage === 5)).toMatchObject([{ code: 'DUPLICATE_ID', pointer: '/nodes/1/id' }])
  })

  test('hostile keys are ordinary ones', () => {
    const text = '{"__proto__":{"class_type":"constructor","inputs":{"__proto__":1,"toString":["__proto__",0]}}}'
    const { document } = importDocument(text, { registry })
    expect(document.nodes[0]).toMatchObject({ id: '__proto__', type: 'constructor' })
    expect(Object.keys(document.nodes[0]!.params!)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['class_type']).toBeUndefined()
    expect(canonical(JSON.parse(exportDocument(fromDocument(document, registry), 'comfyui-api').text))).toEqual(canonical(JSON.parse(text)))
  })
})

describe('integers beyond 2^53', () => {
  const big = '18446744073709551615', digits = (text: string): string[] => text.match(/\d{16,}/g) ?? []
  const prompt = `{"1":{"class_type":"KSampler","inputs":{"seed":${big},"steps":3,"text":"${big}0"}},"2":{"class_type":"Unknown","inputs":{"list":[1,{"n":-9007199254740993}],"safe":9007199254740991}}}`
  const workflow = `{"nodes":[{"id":1,"type":"KSampler","widgets_values":[${big},"randomize",20]},{"id":2,"type":"Unknown","widgets_values":["x",${big}]}],"links":[],"extra":{"stamp":1234567890123456789},"version":0.4}`

  test.each([
    ['comfyui-api', prompt], ['comfyui-workflow', workflow],
  ] as const)('%s: digits stay digits, in the document as text', (dialect, text) => {
    for (const types of [registry, createRegistry()]) {
      const { document } = importDocument(text, { registry: types })
      expect(JSON.stringify(node(document, '1').params)).toContain(`"${big}"`)
      const again = exportDocument(fromDocument(parseDocument(writeDocument(document)).document, types), dialect).text
      const expected = dialect === 'comfyui-api'
        ? digits(text)
        : digits(text).map((one) => one === '1234567890123456789' ? '1234567890123456800' : one)
      expect(digits(again).sort()).toEqual(expected.sort())
      expect(again).not.toContain(`"${big}"`)
    }
    const known = importDocument(text, { registry }).document
    expect(node(known, '1').params!['seed']).toBe(big)
    expect(validate(known, registry).filter((one) => one.code === 'PARAM_INVALID')).toEqual([])
  })

  test('a seed of one’s own is written as a number', () => {
    const { text } = exportDocument(
      fromDocument({ millrace: 1, nodes: [{ id: '1', type: 'test::k-sampler', params: { seed: big } }] }, registry),
      'comfyui-api',
    )
    expect(text).toContain(`"seed": ${big}`)
  })

  test('long strings of digits and escapes are left alone', () => {
    const long = JSON.stringify({ 1: { class_type: 'A', inputs: { t: `\\"${'9'.repeat(900_000)}`, n: 1 } } }).replace('"n":1', `"n":${big}`)
    expect((importDocument(long).document.nodes[0]!.params!['t'] as string).length).toBeGreaterThan(900_000)
  })
})
