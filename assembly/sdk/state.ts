// The 32-byte header in front of every kernel's state (KE-08): it proves which code ran.
import { STATE_BYTES, STATE_CALLS, STATE_CLIPPED, STATE_NONFINITE, STATE_TAG, STATE_VERSION, TAG_ASCR } from './generated'

/** Writes the header in K_init; returns the address of the kernel's own bytes. */
export function open(state: usize, version: u32): usize {
  store<u32>(state, TAG_ASCR, STATE_TAG)
  store<u32>(state, version, STATE_VERSION)
  return own(state)
}
/** True when this state was not made by K_init of this version: process and flush then answer BAD_STATE. */
// @ts-ignore: decorator
@inline export function foreign(state: usize, version: u32): bool {
  return load<u32>(state, STATE_TAG) != TAG_ASCR || load<u32>(state, STATE_VERSION) != version
}
/** Counts the call and skips the header. @realtime */
// @ts-ignore: decorator
@inline export function begin(state: usize): usize {
  store<u32>(state, load<u32>(state, STATE_CALLS) + 1, STATE_CALLS)
  return own(state)
}
/** Address of the kernel's own bytes. */
// @ts-ignore: decorator
@inline export function own(state: usize): usize { return state + STATE_BYTES }
/** Adds to the samples that left the range of an integer format. */
// @ts-ignore: decorator
@inline export function countClipped(state: usize, samples: u32): void {
  store<u32>(state, load<u32>(state, STATE_CLIPPED) + samples, STATE_CLIPPED)
}
/** Adds to the samples that were NaN or infinite where they are not carried on. */
// @ts-ignore: decorator
@inline export function countNonfinite(state: usize, samples: u32): void {
  store<u32>(state, load<u32>(state, STATE_NONFINITE) + samples, STATE_NONFINITE)
}
