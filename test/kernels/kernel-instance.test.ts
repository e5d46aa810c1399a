import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { gain } from '../../src/nodes/audio/gain.js'
import { compiledInstance, floats, hasShared, noise, openBench, openPlain, planar, referenceInstance, specOf } from './support.js'

const definition = gain.definition
const media = { in: planar(2), out: planar(2) }

describe.each(hasShared ? [true, false] : [false])('kernel instance, shared memory %s', (shared) => {
  test('compiled code and reference give the same bits and the state tells which ran', async () => {
    const bench = await openBench(shared), plain = openPlain(), params = { gainDb: -6, invert: true }
    const spec = specOf(definition, { params, media })
    const before = bench.arena.stats().blocks
    const kernel = compiledInstance(bench, spec), reference = referenceInstance(definition, params, spec, plain)
    const a = floats(bench.arena, 2, 1_000), b = floats(plain, 2, 1_000), x = noise(1)
    for (let c = 0; c < 2; c++) for (let n = 0; n < 1_000; n++) a.channel(c)[n] = b.channel(c)[n] = x()
    const ya = floats(bench.arena, 2, 1_000), yb = floats(plain, 2, 1_000)
    for (const [instance, from, to] of [[kernel, a, ya], [reference, b, yb]] as const) {
      instance.setInput(0, { data: from.at, frames: 1_000, stride: from.stride })
      instance.setOutput(0, { data: to.at, frames: 1_000, stride: to.stride })
      expect(instance.process(1_000)).toBe(1_000)
      expect(instance.done(0)).toBe(1_000)
    }
    for (let c = 0; c < 2; c++) expect([...ya.channel(c)]).toEqual([...yb.channel(c)])
    expect(ya.channel(0)[5]).not.toBe(0)
    expect(kernel.counters()).toMatchObject({ calls: 1, tag: 'ASCR' })
    expect(reference.counters()).toMatchObject({ calls: 1, tag: 'JSRF' })
    kernel.close()
    expect(bench.arena.stats().blocks).toBe(before + 2)
  })

  test('moved state and snapshots go on with the same bits', async () => {
    const bench = await openBench(shared), spec = specOf(definition, { params: { gainDb: 3, invert: false }, media })
    const kernel = compiledInstance(bench, spec), x = floats(bench.arena, 2, 64), y = floats(bench.arena, 2, 64)
    x.channel(0).fill(0.25)
    const call = (): number[] => {
      kernel.setInput(0, { data: x.at, frames: 64, stride: x.stride })
      kernel.setOutput(0, { data: y.at, frames: 64, stride: y.stride })
      expect(kernel.process(64)).toBe(64)
      return [...y.channel(0)]
    }
    const first = call(), saved = kernel.snapshot(), state = kernel.state
    kernel.moveState()
    expect(kernel.state).not.toBe(state)
    expect(call()).toEqual(first)
    kernel.restore(saved)
    expect(call()).toEqual(first)
    expect(kernel.counters().calls).toBe(2)
    kernel.reset()
    expect(call()).toEqual(first)
  })

  test('a refused init is KERNEL_STATUS with node, kernel and name, and leaves nothing allocated', async () => {
    const bench = await openBench(shared), spec = specOf(definition, { params: { gainDb: 0, invert: false }, media })
    const before = bench.arena.stats().blocks
    const wrong = { ...spec, inputs: [{ ...spec.inputs[0]!, channels: 65 }] }
    try {
      compiledInstance(bench, wrong)
      expect.unreachable()
    } catch (error) {
      expect(isMillraceError(error) && error.code).toBe('KERNEL_STATUS')
      expect((error as Error).message).toMatch(/^Node node: kernel level\.gain returned -\d \([A-Z_]+\)\.$/)
    }
    expect(bench.arena.stats().blocks).toBe(before)
  })

  test('a ramp is the same at every split', async () => {
    const bench = await openBench(shared), spec = specOf(definition, { params: { gainDb: 0, invert: false }, media })
    const x = floats(bench.arena, 2, 300), y = floats(bench.arena, 2, 300)
    for (let c = 0; c < 2; c++) x.channel(c).fill(1)
    const render = (split: number): number[] => {
      const kernel = compiledInstance(bench, spec)
      for (const [from, frames] of [[0, split], [split, 300 - split]] as const) {
        kernel.setControl(0, { from: 1, to: 0.25, begin: 100 - from, length: 150 })
        kernel.setInput(0, { data: x.at + from * 4, frames, stride: x.stride })
        kernel.setOutput(0, { data: y.at + from * 4, frames, stride: y.stride })
        expect(kernel.process(frames, from)).toBe(frames)
      }
      kernel.close()
      return [...y.channel(1)]
    }
    const whole = render(0)
    expect(whole[100]).toBe(1)
    expect(whole[175]).toBeCloseTo(0.625, 6)
    expect(whole[250]).toBe(0.25)
    for (const split of [1, 99, 100, 101, 173, 250, 299]) expect(render(split)).toEqual(whole)
  })
})
