import { describe, expect, test } from 'vitest'
import { isMillraceError } from '../../src/errors/millrace-error.js'
import { LIFE, SlotLife, type LifeEvent, type LifeState } from '../../src/workers/slot-life.js'

const STATES: readonly LifeState[] = ['none', 'booting', 'idle', 'busy', 'draining', 'dead', 'respawning']
const EVENTS: readonly LifeEvent[] = ['boot', 'ready', 'take', 'finish', 'drain', 'lose', 'respawn', 'release']
/** The page's sentence, written out (spec memory-and-workers.md section 7). */
const LEGAL = `none boot booting · booting ready idle · booting lose dead · idle take busy · idle drain draining · idle lose dead · busy finish idle · busy drain draining · busy lose dead ·
draining release none · draining lose dead · dead respawn respawning · dead release none · respawning ready idle · respawning lose dead`.split('·').map((line) => line.trim().split(/\s+/))

describe('every pair of state and event', () => {
  test.each(STATES.flatMap((state) => EVENTS.map((event) => [state, event] as const)))('%s, %s', (state, event) => {
    const life = new SlotLife('7', state), next = LEGAL.find(([from, on]) => from === state && on === event)?.[2]
    if (next !== undefined) {
      expect(life.on(event)).toBe(next)
      return
    }
    let error: unknown
    try { life.on(event) } catch (thrown) { error = thrown }
    expect(isMillraceError(error) && [error.code, error.message]).toEqual(['ILLEGAL_TRANSITION', `Worker 7: ${event} in state ${state}.`])
    expect(life.state).toBe(state)
  })
  test('the table has no other states', () => { expect(Object.keys(LIFE).sort()).toEqual([...STATES].sort()) })
})
