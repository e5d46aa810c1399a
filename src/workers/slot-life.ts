import { workerErrors } from './errors.js'

/** A worker as the supervisor sees it (spec memory-and-workers.md section 7). */
export type LifeState = 'none' | 'booting' | 'idle' | 'busy' | 'draining' | 'dead' | 'respawning'
export type LifeEvent = 'boot' | 'ready' | 'take' | 'finish' | 'drain' | 'lose' | 'respawn' | 'release'

/** Every transition there is; anything else is `ILLEGAL_TRANSITION`. */
export const LIFE: { readonly [S in LifeState]: { readonly [E in LifeEvent]?: LifeState } } = {
  none: { boot: 'booting' },
  booting: { ready: 'idle', lose: 'dead' },
  idle: { take: 'busy', drain: 'draining', lose: 'dead' },
  busy: { finish: 'idle', drain: 'draining', lose: 'dead' },
  draining: { release: 'none', lose: 'dead' },
  dead: { respawn: 'respawning', release: 'none' },
  respawning: { ready: 'idle', lose: 'dead' },
}

/** State of one worker. Throws `ILLEGAL_TRANSITION` for an event that the table does not list. */
export class SlotLife {
  #state: LifeState
  readonly #id: string

  constructor(id: string, state: LifeState = 'none') {
    this.#id = id
    this.#state = state
  }

  get state(): LifeState { return this.#state }

  on(event: LifeEvent): LifeState {
    const next = LIFE[this.#state][event]
    if (next === undefined) throw workerErrors.ILLEGAL_TRANSITION({ thing: 'Worker', id: this.#id, event, state: this.#state })
    return this.#state = next
  }
}
