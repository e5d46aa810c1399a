import type { Address } from '../memory/memory-host.js'
import type { KernelExports } from './runtime.js'

/** A kernel's functions, compiled or a reference; a reference also gives and takes its state as a plain object (KE-25). */
export interface KernelCode extends KernelExports {
  readonly snapshot?: (state: Address) => object
  readonly restore?: (state: Address, snapshot: object) => void
  /** Forgets the state at an address, or carries it to another one. */
  readonly drop?: (state: Address) => void
  readonly move?: (from: Address, to: Address) => void
}
