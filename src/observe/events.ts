/** Something that an engine tells whoever listens (spec execution.md section 9): `ts` ms since 1970, `seq` without gaps per engine. */
export interface EngineEvent<P = Readonly<Record<string, unknown>>> {
  readonly type: 'memory.pressure' | 'worker.started' | 'worker.lost' | 'worker.respawned' | 'node.preview' | 'warning'
  readonly ts: number
  readonly seq: number
  readonly runId?: string
  readonly nodeId?: string
  readonly payload: P
}

/** Receives events, in order, after the turn in which they arose. What it throws goes to the host's error reporting and changes nothing. */
export type EventListener = (event: EngineEvent) => void

/** Numbers events and gives them to one listener, never inside the caller's turn: they may arise within an allocation. */
export class EventStream {
  readonly #listener: EventListener | undefined
  readonly #nowMs: () => number
  #seq = 0

  constructor(listener: EventListener | undefined, nowMs: () => number) {
    this.#listener = listener
    this.#nowMs = nowMs
  }

  /** `payload`: plain data. */
  emit(type: EngineEvent['type'], payload: EngineEvent['payload'], place: Pick<EngineEvent, 'runId' | 'nodeId'> = {}): void {
    const event = { type, ts: this.#nowMs(), seq: this.#seq++, ...place, payload }
    if (this.#listener !== undefined) queueMicrotask(() => { this.#listener!(event) })
  }
}
