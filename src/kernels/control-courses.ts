import type { KernelInstance } from './kernel-instance.js'

interface Course { from: number; to: number; /** Absolute frame. */ start: number; length: number }

/**
 * Ramps of the controls of an instance that is called directly: functions of absolute time, told to the kernel
 * relative to each call (KE-15). Frames of input 0.
 */
export class ControlCourses {
  readonly #values: number[]
  readonly #moving = new Map<number, Course>()

  /** `values`: what the controls are now. */
  constructor(values: readonly number[]) { this.#values = Array.from(values, Math.fround) }

  /** From frame `at` on, control `index` goes from what it is then to `value` over `frames`. */
  set(index: number, value: number, at: number, frames: number): void {
    const from = this.#at(index, at), to = Math.fround(value)
    this.#values[index] = to
    this.#moving.set(index, { from: frames === 0 ? to : from, to, start: at, length: frames })
  }

  /** Tells an instance how the controls go from `position` on. Allocates only while something moves. */
  apply(instance: KernelInstance, position: number): void {
    for (const [index, { from, to, start, length }] of this.#moving) {
      const ended = position - start >= length
      instance.setControl(index, ended ? to : { from, to, begin: start - position, length })
      if (ended) this.#moving.delete(index)
    }
  }

  /** Forgets absolute time: what moves ends at once. */
  rewind(): void { for (const course of this.#moving.values()) course.start = Number.NEGATIVE_INFINITY }

  #at(index: number, frame: number): number {
    const course = this.#moving.get(index)
    if (course === undefined || frame - course.start >= course.length) return this.#values[index]!
    return Math.fround(course.from + (course.to - course.from) * ((frame - course.start) / course.length))
  }
}
