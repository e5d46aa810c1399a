import { describe, expect, test } from 'vitest'
import { conformance, conformanceReport, referenceHost, registerConformance, type Finding } from '../../src/testing/index.js'
import { echo, KERNEL_FAULTS, kernelHost, kernelNode, node, REFERENCE_FAULTS, rereading } from './fault-nodes.js'

const failed = (findings: readonly Finding[]): string[] => findings.filter((finding) => !finding.ok).map((finding) => finding.check)

describe('sound nodes pass', () => {
  test('a reference', async () => {
    const findings = await conformance(node(echo))
    expect(findings.filter((finding) => !finding.ok)).toEqual([])
    expect(findings.length).toBeGreaterThan(20)
  })

  test('a kernel', () => {
    const findings = conformanceReport(kernelNode(), kernelHost())
    expect(findings.filter((finding) => !finding.ok)).toEqual([])
    expect(findings.map((finding) => finding.check)).toEqual(expect.arrayContaining(['parity', 'bad-init', 'in-place', 'allocation']))
  })

  test('rereading its input is no fault without in-place', async () => {
    expect(failed(await conformance(node(rereading)))).toEqual([])
  })
})

describe('each planted fault is found', () => {
  test.each(REFERENCE_FAULTS)('%s: %s', (_, check, make) => {
    expect(failed(conformanceReport(make(), referenceHost()))).toContain(check)
  })

  test.each(KERNEL_FAULTS)('a kernel that %s: %s', (_, check, fault) => {
    expect(failed(conformanceReport(kernelNode(), kernelHost(fault), { chunkings: 50, randomInits: 200 }))).toContain(check)
  })

  test('a node that rereads its input and declares in-place: in-place', () => {
    expect(failed(conformanceReport(
      node(rereading, { kernel: { module: 'test', export: 'echo', flush: true, inPlace: [[0, 0]] } }),
      kernelHost(), { chunkings: 50, randomInits: 200 },
    )))
      .toEqual(['in-place'])
  })
})

describe('the vitest adapter', () => {
  const registered = (definition: ReturnType<typeof node>): Map<string, () => Promise<void>> => {
    const tests = new Map<string, () => Promise<void>>()
    registerConformance(definition, { describe: (_, body) => body(), test: (name, body) => { tests.set(name, body) } }, { chunkings: 10 })
    return tests
  }

  test('one test per check; only the faulty one fails, and says where', async () => {
    const tests = registered(node({ ...echo, reset: () => {} }))
    expect([...tests.keys()]).toContain('reset')
    await expect(tests.get('reset')!()).rejects
      .toThrow(/^test::node, reset, tier js: setup 1, 48000 Hz, 2 channels: reset after 1 frames: differs/)
    await expect(tests.get('chunking')!()).resolves.toBeUndefined()
  })

  test('a node without kernel and reference is refused', async () => {
    const { reference: _, ...rest } = node(echo)
    await expect(conformance({ ...rest, pull: () => { throw new Error('never') } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
