import { memoryErrors } from '../memory/errors.js'

/** How threads share data: one memory, or blocks that move by transfer (spec memory-and-workers.md section 8). */
export interface ModeChoice { readonly mode: 'shared' | 'transfer'; readonly reason: string }

/** Facts of the host that decide the mode. `sharedArrayBuffer`: the name exists. */
export interface ModeFacts { readonly nodeLike: boolean; readonly isolated: boolean; readonly sharedArrayBuffer: boolean }

const HEADERS = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'

/**
 * The mode that an option allows on a host (MW-55, MW-59); a worker's answer may still turn `shared` into `transfer`. Throws
 * `SHARED_MEMORY` for `shared: true` where it is impossible, naming what is missing. `bytes`: of the memory, for the message.
 */
export function chooseMode(option: 'auto' | boolean, facts: ModeFacts, bytes: number): ModeChoice {
  if (option === false) return { mode: 'transfer', reason: 'option shared: false' }
  const missing = obstacle(facts)
  if (missing === null) {
    return { mode: 'shared', reason: facts.nodeLike ? 'the host shares memory between threads' : 'the page is cross-origin isolated' }
  }
  if (option === true) throw memoryErrors.SHARED_MEMORY({ bytes, cause: missing })
  return { mode: 'transfer', reason: missing }
}

function obstacle({ nodeLike, isolated, sharedArrayBuffer }: ModeFacts): string | null {
  if (!nodeLike && !isolated) return `the page is not cross-origin isolated; send ${HEADERS}`
  if (!sharedArrayBuffer) return nodeLike || isolated ? 'the host has no SharedArrayBuffer' : `no SharedArrayBuffer; send ${HEADERS}`
  return null
}
