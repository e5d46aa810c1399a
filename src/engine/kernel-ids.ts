import { MOST_KERNELS } from '../kernels/runtime.js'
import { commonErrors } from '../errors/common-errors.js'

/** Numbers of kernels: the same on every thread of an engine, given in order of first use (KE-11). */
export class KernelIds {
  readonly #ids = new Map<string, number>()

  /** Id of a kernel. Throws `LIMIT_EXCEEDED` when the function table is full. */
  of(module: string, name: string): number {
    const key = `${module}.${name}`
    let id = this.#ids.get(key)
    if (id !== undefined) return id
    if (this.#ids.size >= MOST_KERNELS) {
      throw commonErrors.LIMIT_EXCEEDED({ what: 'Kernels of one engine', limit: MOST_KERNELS, got: this.#ids.size + 1 })
    }
    id = this.#ids.size
    this.#ids.set(key, id)
    return id
  }
}
