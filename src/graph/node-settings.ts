import type { NodeMode } from './output-ref.js'
import type { TierChoice } from './tiers.js'

/** Where a node runs (GR-47). */
export type NodePlace = 'auto' | 'local' | 'remote' | 'prefer-local' | 'prefer-remote' | 'main'

/** How often and after which waits a failed call is repeated. Times in ms. */
export type NodeRetry = { readonly retries?: number } & (
  | { readonly kind: 'none' } | { readonly kind: 'fixed'; readonly delayMs?: number }
  | {
    readonly kind: 'exponential'
    readonly baseMs?: number
    readonly factor?: number
    readonly maxMs?: number
    readonly jitter?: 'none' | 'full'
  })

/**
 * When a node is left out: always, when a param has a value, when an input is linked to nothing. `not` turns it round, `reason` is told.
 */
export type SkipCondition = boolean
  | { readonly param: string; readonly is: unknown; readonly not?: boolean; readonly reason?: string }
  | { readonly absent: string; readonly not?: boolean; readonly reason?: string }

/** How the node is run (spec graph.md section 1, `policy`). Times in ms. A type, not an interface: it stands where any fields may. */
export type NodePolicy = {
  readonly timeoutMs?: number
  readonly retry?: NodeRetry
  readonly breaker?: { readonly key?: string; readonly failures?: number; readonly openMs?: number; readonly successes?: number }
  readonly limiters?: readonly string[]
  readonly exclusive?: boolean | readonly string[]
  readonly priority?: 'high' | 'normal' | 'low'
  readonly always?: boolean
  readonly skipIf?: SkipCondition
  readonly cache?: 'on' | 'off'
  readonly pin?: 'main' | 'master'
  readonly hangMs?: number
  readonly [extra: `x-${string}`]: unknown
}

/** What a node may ask of a host; `preferred`: told when it is not there, no reason to refuse. */
type Wish = boolean | 'preferred'
/** What of a host the node needs (GR-40). */
export type NodeRequirements = {
  readonly webgpu?: Wish
  readonly simd?: Wish
  readonly threads?: Wish
  readonly relaxedSimd?: Wish
  readonly memory64?: Wish
  readonly cores?: number
  readonly memoryBytes?: number
  readonly arch?: 'x86_64' | 'aarch64' | 'arm' | 'any'
  readonly gpu?: {
    readonly type?: 'cuda' | 'rocm' | 'metal' | 'vulkan' | 'webgpu' | 'any'
    readonly minMemoryBytes?: number
    readonly required?: boolean
  }
  readonly tags?: readonly string[]
  readonly [extra: `x-${string}`]: unknown
}

/** Settings of one node beside inputs and params (spec graph.md section 1, table `node`). */
export interface NodeSettings {
  readonly id?: string
  readonly version?: string
  readonly tier?: TierChoice
  readonly place?: NodePlace
  readonly requires?: NodeRequirements
  readonly mode?: NodeMode
  readonly policy?: NodePolicy
  /** Keeps the node even when nothing reads it. */
  readonly output?: boolean
  readonly ui?: unknown
}
