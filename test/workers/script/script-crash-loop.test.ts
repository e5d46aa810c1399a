/**
 * Nodes on threads that end them in every run: replacements are counted over runs and end, with the
 * cause (MW-48); events and numbers say the same.
 */
import { expect, test } from 'vitest'
import { scripted } from './script-nodes.js'
import { failure, modes, open } from './script-rig.js'

test.each(
  modes,
)('two threads are replaced, then nodes fail with what was lost last and no thread starts, shared memory %s', async (shared) => {
  const events: (readonly [string, unknown, unknown])[] = []
  await using engine = await open(shared, {
    workers: 1, respawns: 2,
    onEvent: ({ type, payload }) => { if (type.startsWith('worker')) events.push([type.slice(7), payload['worker'], payload['after']]) },
  })
  const node = scripted(async () => {
    setTimeout(() => { throw new Error('the thread ends') }, 0)
    await new Promise(() => undefined)
    return {}
  })
  // The first one's third delivery is the last that a thread is started for.
  for (let run = 0; run < 4; run++) {
    const error = await failure(engine.run({ out: node() }))
    expect(error).toMatchObject({
      code: 'WORKER_LOST', retryable: false,
      details: { worker: 'script 3', reason: expect.stringContaining('the thread ends') },
    })
    expect(error.result.metrics.nodes[0]!.deliveries).toBe(run === 0 ? 4 : 1)
  }
  expect(events).toEqual([
    ['started', 'script 1', undefined], ['lost', 'script 1', undefined], ['respawned', 'script 2', 'script 1'],
    ['lost', 'script 2', undefined], ['respawned', 'script 3', 'script 2'], ['lost', 'script 3', undefined],
  ])
  expect(engine.stats().workers)
    .toMatchObject({ count: 0, busy: 0, lost: 3, respawns: 2, scripts: { count: 0, busy: 0, lost: 3, respawns: 2 } })
}, 20_000)
