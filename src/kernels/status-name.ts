import type { MillraceError } from '../errors/millrace-error.js'
import { STATUS } from './contract.js'
import { kernelErrors } from './errors.js'

/** Name of a negative kernel result: the contract's, else the kernel's own (−16…−255), else `unknown`. */
export function statusName(status: number, own: Readonly<Record<number, string>> = {}): string {
  return Object.entries(STATUS).find(([, value]) => value === status)?.[0] ?? own[status] ?? 'unknown'
}

/** What a kernel's result has to do with an instance: for messages. */
export interface KernelPlace {
  readonly nodeId: string
  readonly type?: string
  readonly module: string
  readonly export: string
  readonly statuses?: Readonly<Record<number, string>>
}

/** `KERNEL_STATUS` for a negative result. */
export function statusError(
  place: KernelPlace, status: number,
  own: Readonly<Record<number, string>> | undefined = place.statuses,
): MillraceError {
  const name = statusName(status, own)
  return kernelErrors.KERNEL_STATUS({ node: place.nodeId, kernel: kernelName(place), status, name }, {
    nodeId: place.nodeId, ...(place.type !== undefined && { nodeType: place.type }),
  })
}

/** `KERNEL_TRAP` for what a compiled kernel threw. The state is lost and the thread must not be reused (MW-49). */
export function trapError(place: KernelPlace, cause: unknown, block: number): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return kernelErrors.KERNEL_TRAP({ node: place.nodeId, kernel: kernelName(place), reason, block }, {
    nodeId: place.nodeId, ...(place.type !== undefined && { nodeType: place.type }), cause,
  })
}

/** True for what a WebAssembly function throws: a trap, or the stack overflow of its host. */
export function isTrap(error: unknown): boolean {
  return (typeof WebAssembly === 'object' && error instanceof WebAssembly.RuntimeError) || error instanceof RangeError
}

function kernelName(place: KernelPlace): string { return place.module === '' ? place.export : `${place.module}.${place.export}` }
