import type { MillraceError } from '../../errors/millrace-error.js'
import { scheduleErrors } from '../errors.js'
import type { PacketQueue } from '../packet-queue.js'
import type { ValueId } from '../segment-plan.js'
import type { ValueRoutes } from './value-routes.js'

/** Who reads which queue of a run, by node id. */
export class Readers {
  readonly #byQueue = new Map<PacketQueue, string>()

  add(queue: PacketQueue, reader: string): void { this.#byQueue.set(queue, reader) }

  /** The queues that these nodes read. */
  of(nodes: ReadonlySet<string>): PacketQueue[] { return [...this.#byQueue].flatMap(([queue, reader]) => nodes.has(reader) ? [queue] : []) }

  /** Tells who reads these values that their writer, or one before it, has failed. */
  fail(values: readonly ValueId[], routes: ValueRoutes, failed: string, cause: MillraceError): void {
    for (const value of values) {
      for (const queue of routes.of(value).queues) {
        queue.fail(scheduleErrors.DEPENDENCY_FAILED({ node: this.#byQueue.get(queue)!, port: value, failed }, { cause, nodeId: failed }))
      }
    }
  }
}
