/**
 * Who executes next (MW-32, MW-57, EX-55, EX-57): the queue against a model that sorts everything anew
 * at each step, and its promises one by one.
 */
import { describe, expect, test } from 'vitest'
import type { RunShare } from '../../src/schedule/open-segment.js'
import { DispatchQueue, type Handed, type Piece } from '../../src/workers/dispatch-queue.js'
import { drawFrom } from '../soak/random-run.js'

const STEPS = Number(process.env['MILLRACE_STEPS'] ?? 1_000)
const never = new AbortController().signal
const tick = async (): Promise<void> => { for (let n = 0; n < 4; n++) await Promise.resolve() }
const run = (age: number, priority = 0, limit = 0): RunShare => ({ age, priority, limit })
const piece = (share: RunShare, more: Partial<Piece<string>> = {}): Piece<string> => ({ share, lane: 1, index: 0, ...more })

/** A queue of which the test sees who was handed out, in order. */
function bench(workers: string[], depth?: number): {
  queue: DispatchQueue<string>; order: string[]; on: Map<string, Handed<string>>; ended: Map<string, unknown>
  enter: (name: string, piece: Piece<string>, readyUs?: number, signal?: AbortSignal) => Promise<void>
  leave: (name: string) => Promise<void>
} {
  const queue = new DispatchQueue<string>(() => workers, depth)
  const order: string[] = [], on = new Map<string, Handed<string>>(), ended = new Map<string, unknown>()
  return {
    queue, order, on, ended,
    async enter(name, one, readyUs = 0, signal = never) {
      void Promise.resolve(queue.enter(one, readyUs, signal)).then((handed) => {
        if (handed === undefined) { ended.set(name, undefined); return }
        on.set(name, handed)
        order.push(name)
      }, (error: unknown) => { ended.set(name, error) })
      await tick()
    },
    async leave(name) { on.get(name)!.leave(); on.delete(name); await tick() },
  }
}

describe('who is next', () => {
  test('priority, then age, then lane, then ready time, then plan order', async () => {
    const { enter, leave, order } = bench(['w'], 1), old = run(1), young = run(2), high = run(3, 5)
    await enter('first', piece(run(0)))
    await enter('young', piece(young, { lane: 0 }))
    await enter('low', piece(old, { lane: 2 }))
    await enter('late', piece(old), 9)
    await enter('second', piece(old, { index: 2 }), 3)
    await enter('one', piece(old, { index: 1 }), 3)
    await enter('urgent', piece(old, { lane: 0, index: 9 }), 99)
    await enter('high', piece(high, { lane: 2 }), 99)
    for (let n = 0; n < 7; n++) await leave(order.at(-1)!)
    expect(order).toEqual(['first', 'high', 'urgent', 'one', 'second', 'late', 'low', 'young'])
  })

  test('what is handed ahead is never less urgent than what runs, and what is urgent waits for one pass', async () => {
    const { enter, leave, order, on, queue } = bench(['w'], 2), low = run(0), high = run(1, 1)
    const pass = piece(low), urgent = piece(high)
    await enter('low', pass)
    const ahead = queue.next(on.get('low')!)!
    await enter('high', urgent)
    // One runs, one was handed ahead.
    expect(order).toEqual(['low'])
    await leave('low')
    expect(order).toEqual(['low', 'high'])
    // Behind it: nothing of the low run, as long as the high one goes on.
    expect(queue.next(ahead)).toBeUndefined()
    ahead.leave()
    await enter('low again', piece(low))
    const more = queue.next(on.get('high')!)!
    expect(more.worker).toBe('w')
    await leave('high')
    expect(order).toEqual(['low', 'high'])
    more.leave()
    await tick()
    expect(order).toEqual(['low', 'high', 'low again'])
  })

  test('a limit counts workers, and a pass behind its own goes by the same permit, until another one of its run waits', async () => {
    const { enter, leave, order, on, queue } = bench(['a', 'b', 'c'], 2), one = run(0, 0, 1)
    await enter('x', piece(one, { fits: (worker) => worker === 'a' }))
    const next = queue.next(on.get('x')!)!
    await enter('y', piece(one, { fits: (worker) => worker === 'b' }))
    await leave('x')
    expect(order).toEqual(['x'])
    expect(queue.next(next)).toBeUndefined()
    next.leave()
    await tick()
    expect(order).toEqual(['x', 'y'])
    // Others go on beside it.
    await enter('other', piece(run(1)))
    expect(on.get('other')!.worker).toBe('a')
  })

  test('pieces of several permits are not overtaken by those of one', async () => {
    const { enter, leave, order } = bench(['pool']), share = run(0, 0, 3)
    for (const name of ['a', 'b', 'c']) await enter(name, piece(share))
    await enter('group', piece(share, { permits: 2 }), 1)
    await enter('d', piece(share), 2)
    await leave('a')
    expect(order).toEqual(['a', 'b', 'c'])
    await leave('b')
    expect(order).toEqual(['a', 'b', 'c', 'group'])
    await leave('group')
    expect(order).toEqual(['a', 'b', 'c', 'group', 'd'])
  })

  test('who is withdrawn or aborted is out, and who stood behind it goes on; a second leave is nothing', async () => {
    const { enter, on, ended, order, queue, leave } = bench(['pool'])
    const share = run(0, 0, 2), stop = new AbortController(), group = piece(share, { permits: 2 })
    await enter('a', piece(share))
    await enter('group', group)
    await enter('b', piece(share), 1)
    expect(order).toEqual(['a'])
    queue.withdraw(group, 'closed')
    await tick()
    expect([ended.get('group'), order]).toEqual(['closed', ['a', 'b']])
    await enter('c', piece(share), 2, stop.signal)
    stop.abort('stopped')
    await tick()
    expect([ended.get('c'), queue.size]).toEqual(['stopped', 0])
    const handed = on.get('a')!
    await leave('a')
    handed.leave()
    await enter('d', piece(share), 3)
    await enter('e', piece(share), 4)
    expect(order).toEqual(['a', 'b', 'd'])
    await enter('f', piece(share), 5, AbortSignal.abort('before'))
    expect(ended.get('f')).toBe('before')
  })

  test('a lost worker gives its permit back; who only fits there hears of it, others go to who comes', async () => {
    const workers = ['a'], { enter, order, ended, queue } = bench(workers, 1), one = run(0, 0, 1)
    await enter('x', piece(one))
    await enter('bound', piece(one, { fits: (worker) => worker === 'a' }))
    await enter('free', piece(one, { fits: (worker) => worker !== 'c' }), 1)
    workers[0] = 'b'
    queue.look()
    await tick()
    expect([order, [...ended.keys()], queue.size]).toEqual([['x', 'free'], ['bound'], 0])
    workers.pop()
    await enter('nobody', piece(one))
    expect(ended.has('nobody')).toBe(true)
  })
})

/** The same by definition: all that waits is sorted, and the first that may go does, until none may. */
class Model {
  waiting: { id: number; piece: Piece<string>; readyUs: number; seq: number }[] = []
  on: { id: number; piece: Piece<string>; worker: string; permit: object }[] = []
  workers: string[]
  readonly depth: number

  constructor(workers: string[], depth: number) { this.workers = workers; this.depth = depth }

  used(share: RunShare): number {
    const permits = new Map(this.on.filter((one) => one.piece.share === share).map((one) => [one.permit, one.piece.permits ?? 1]))
    return [...permits.values()].reduce((sum, n) => sum + n, 0)
  }

  permits({ share, permits = 1 }: Piece<string>): boolean { return share.limit === 0 || this.used(share) + permits <= share.limit }

  before(a: Piece<string>, b: Piece<string>): number {
    return b.share.priority - a.share.priority || a.share.age - b.share.age || a.lane - b.lane
  }

  mayHave(worker: string, one: Piece<string>): boolean {
    const here = this.on.filter((other) => other.worker === worker)
    if (one.fits?.(worker) === false || here.length >= this.depth) return false
    return here.every((other) => this.before(other.piece, one) >= 0 && (one.share.limit === 0 || other.piece.share !== one.share))
  }

  settle(): void {
    for (;;) {
      this.waiting.sort((a, b) => this.before(a.piece, b.piece) || a.readyUs - b.readyUs || a.piece.index - b.piece.index || a.seq - b.seq)
      const stuck = new Set<RunShare>()
      const found = this.waiting.find(({ piece: one }) => {
        if (!this.permits(one)) stuck.add(one.share)
        return !stuck.has(one.share) && this.workers.some((worker) => this.mayHave(worker, one))
      })
      if (found === undefined) return
      const count = (worker: string): number => this.on.filter((one) => one.worker === worker).length
      const [worker] = this.workers.filter((one) => this.mayHave(one, found.piece)).sort((a, b) => count(a) - count(b)) as [string]
      this.waiting.splice(this.waiting.indexOf(found), 1)
      this.on.push({ id: found.id, piece: found.piece, worker, permit: {} })
    }
  }
}

describe.each([[1], [2]])('depth %d', (depth) => {
  test(`${STEPS} random steps as the model has it; limits are never passed, nobody waits beside a worker that may have it`, async () => {
    const draw = drawFrom(40 + depth)
    const runs = Array.from({ length: 5 }, (_, age) => run(age, draw(3) - 1, [0, 0, 1, 2, 3][age]!))
    const names = ['a', 'b', 'c'], workers = [...names]
    const queue = new DispatchQueue<string>(() => workers, depth)
    const model = new Model(workers, depth), held = new Map<number, Handed<string>>()
    const gone = new Map<number, unknown>(), stops = new Map<number, AbortController>()
    const told: Piece<string>[] = []
    let ids = 0, handedOut = 0, ahead = 0, put = 0, rooms = 0
    const enter = (id: number, one: Piece<string>, readyUs: number): void => {
      const stop = new AbortController()
      stops.set(id, stop)
      void Promise.resolve(queue.enter(one, readyUs, stop.signal)).then((handed) => {
        if (handed === undefined) gone.set(id, 'nobody'); else { held.set(id, handed); handedOut++ }
      }, (error: unknown) => { gone.set(id, error) })
      if (!workers.some((worker) => one.fits?.(worker) !== false)) return
      model.waiting.push({ id, piece: one, readyUs, seq: id })
      model.settle()
    }
    for (let step = 0; step < STEPS; step++) {
      const what = draw(20)
      if (what < 8) {
        const only = names[draw(3)]!, bound = draw(2) === 0
        const one: Piece<string> = piece(runs[draw(5)]!, {
          lane: draw(3), index: draw(4), room: () => { told.push(one) },
          ...(bound && { fits: (worker: string) => worker === only }),
        })
        enter(ids++, one, Math.floor(step / 4))
      } else if (what < 15 && held.size > 0) {
        const [id, handed] = [...held][draw(held.size)]!
        told.length = 0
        handed.leave()
        held.delete(id)
        model.on.splice(model.on.findIndex((one) => one.id === id), 1)
        model.settle()
        // Who runs there now, when nothing is behind it; those that were lost once say nothing here.
        const [first, second] = model.on.filter(({ worker }) => worker === handed.worker)
        expect(told, `step ${step}`).toEqual(depth > 1 && second === undefined && first?.piece.room !== undefined ? [first.piece] : [])
        rooms += told.length
      } else if (what === 15 && model.waiting.length > 0) {
        const { id, piece: one } = model.waiting[draw(model.waiting.length)]!
        if (draw(2) === 0) queue.withdraw(one, 'out'); else stops.get(id)!.abort('out')
        model.waiting = model.waiting.filter((other) => other.id !== id)
        model.settle()
        await tick()
        expect(gone.get(id)).toBe('out')
      } else if (what < 18 && held.size > 0) {
        const [id, handed] = [...held][draw(held.size)]!, { piece: one, worker, permit } = model.on.find((other) => other.id === id)!
        const may = model.on.filter((other) => other.worker === worker).length < depth && !model.waiting.some(({ piece: other }) =>
          (model.before(other, one) <= 0 && other.fits?.(worker) !== false && model.permits(other))
            || (one.share.limit > 0 && other.share === one.share))
        const next = queue.next(handed)
        expect(next !== undefined, `step ${step}`).toBe(may)
        if (next !== undefined) { const own = ids++; held.set(own, next); model.on.push({ id: own, piece: one, worker, permit }); ahead++ }
      } else if (what === 18 && workers.length > 1) {
        // Lost: what it had is put back once the loss is known, elsewhere unless it was bound to it.
        const [lost] = workers.splice(draw(workers.length), 1) as [string], had = model.on.filter((one) => one.worker === lost)
        model.on = model.on.filter((one) => one.worker !== lost)
        const orphans = model.waiting.filter(({ piece: one }) => !workers.some((worker) => one.fits?.(worker) !== false))
        model.waiting = model.waiting.filter((one) => !orphans.includes(one))
        model.settle()
        queue.look()
        await tick()
        for (const { id } of orphans) expect(gone.get(id)).toBe('nobody')
        for (const { id } of had) { held.get(id)!.leave(); held.delete(id) }
        for (const { piece: { share, lane, index } } of had) { put++; enter(ids++, piece(share, { lane, index }), step) }
      } else if (workers.length < 3) {
        workers.push(names.find((name) => !workers.includes(name))!)
        model.settle()
        queue.look()
      }
      await tick()
      const at = (list: Iterable<readonly [number, string]>): string[] => [...list].map(([id, worker]) => `${id} ${worker}`).sort()
      expect(at([...held].map(([id, { worker }]) => [id, worker] as const)), `step ${step}`)
        .toEqual(at(model.on.map(({ id, worker }) => [id, worker] as const)))
      expect(queue.size).toBe(model.waiting.length)
      for (const share of runs) if (share.limit > 0) {
        expect(new Set(model.on.filter((one) => one.piece.share === share).map(({ worker }) => worker)).size)
          .toBeLessThanOrEqual(share.limit)
      }
    }
    expect(handedOut).toBeGreaterThan(STEPS / 10)
    expect([put > 0, ahead > 0, rooms > 0]).toEqual([true, depth > 1, depth > 1])
    // Everything comes to its end.
    for (let n = 0; held.size > 0 && n < 10_000; n++) {
      const [[id, handed]] = held as unknown as [[number, Handed<string>]]
      held.delete(id)
      handed.leave()
      await tick()
    }
    expect([held.size, queue.size]).toEqual([0, 0])
  })
})
