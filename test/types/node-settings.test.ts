/** Settings of nodes and engines are unions of words that the compiler knows: typing errors do not compile, and editors list the words. */
import { expect, expectTypeOf, test } from 'vitest'
import type { CreateEngineOptions, NodePlace, NodePolicy, NodeRequirements, NodeSettings, Tier, TierChoice } from '../../src/index.js'
import { graphFrom } from '../../src/index.js'
import { audioBuffer, gain } from '../../src/nodes/index.js'

const engine = (o: CreateEngineOptions): CreateEngineOptions => o

test('settings of a node, as they are meant', () => {
  const node = gain.with({
    tier: ['wasm-threads', 'js'], place: 'prefer-local', mode: 'run', output: true,
    policy: {
      timeoutMs: 5,
      retry: { kind: 'exponential', retries: 2, baseMs: 1, jitter: 'full' },
      breaker: { failures: 3 }, limiters: ['io'], exclusive: ['disk'], priority: 'high', skipIf: { param: 'gainDb', is: 0 }, cache: 'off',
      pin: 'main', hangMs: 0, 'x-own': 1,
    },
    requires: {
      webgpu: 'preferred', simd: true, cores: 2, memoryBytes: 1, arch: 'any', gpu: { type: 'webgpu', required: false }, tags: ['big'],
      'x-own': 1,
    },
  })
  const { nodes } = graphFrom({ out: node.with({ tier: 'js' })(audioBuffer({ data: [new Float32Array(1)] })) })
  expect(nodes[1]).toMatchObject({ tier: 'js', place: 'prefer-local', policy: { timeoutMs: 5, 'x-own': 1 }, requires: { cores: 2 } })
  expectTypeOf<NodeSettings['tier']>().toEqualTypeOf<TierChoice | undefined>()
  expectTypeOf<NodeSettings['place']>().toEqualTypeOf<NodePlace | undefined>()
  expectTypeOf<CreateEngineOptions['tier']>().toEqualTypeOf<'auto' | Tier | readonly Tier[] | undefined>()
  expectTypeOf<NodePolicy['priority']>().toEqualTypeOf<'high' | 'normal' | 'low' | undefined>()
  expectTypeOf<NodeRequirements['webgpu']>().toEqualTypeOf<boolean | 'preferred' | undefined>()
})

test('typing errors do not compile', () => {
  // @ts-expect-error no tier
  gain.with({ tier: 'gpu' })
  // @ts-expect-error no tier in a list
  gain.with({ tier: ['wasm', 'rusty'] })
  // @ts-expect-error no place
  gain.with({ place: 'moon' })
  // @ts-expect-error no setting
  gain.with({ tiers: 'js' })
  // @ts-expect-error no mode
  gain.with({ mode: 'off' })
  // @ts-expect-error no policy
  gain.with({ policy: { timeoutms: 5 } })
  // @ts-expect-error a number of ms
  gain.with({ policy: { timeoutMs: '5' } })
  // @ts-expect-error no kind of retry
  gain.with({ policy: { retry: { kind: 'linear' } } })
  // @ts-expect-error a wait that grows has no fixed one
  gain.with({ policy: { retry: { kind: 'exponential', delayMs: 5 } } })
  // @ts-expect-error a list of names
  gain.with({ policy: { limiters: 'io' } })
  // @ts-expect-error no priority
  gain.with({ policy: { priority: 'urgent' } })
  // @ts-expect-error no form of a condition
  gain.with({ policy: { skipIf: { parma: 'gainDb', is: 0 } } })
  // @ts-expect-error no requirement
  gain.with({ requires: { webgpuu: true } })
  // @ts-expect-error no wish
  gain.with({ requires: { simd: 'maybe' } })
  // @ts-expect-error no adapter
  gain.with({ requires: { gpu: { type: 'nvidia' } } })
  // @ts-expect-error no tier of an engine
  engine({ tier: 'gpu' })
  // @ts-expect-error no text of several: a list
  engine({ tier: 'wasm,js' })
  engine({ tier: ['wasm', 'js'] })
  engine({ tier: 'auto' })
})
