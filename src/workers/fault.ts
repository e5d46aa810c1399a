import type { Fault } from './protocol.js'

/** What was thrown on a worker, as plain text. */
export function faultOf(error: unknown): Fault {
  return error instanceof Error
    ? { name: error.name, message: error.message, stack: error.stack ?? '' }
    : { name: 'Thrown', message: String(error), stack: '' }
}

/** The fault as an error of its own class, so that a trap is still known as one. The stack is the worker's. */
export function faultError(fault: Fault): Error {
  const error = fault.name === 'RuntimeError' ? new WebAssembly.RuntimeError(fault.message)
    : fault.name === 'RangeError' ? new RangeError(fault.message)
    : new Error(fault.message)
  if (fault.stack !== '') error.stack = fault.stack
  return error
}
