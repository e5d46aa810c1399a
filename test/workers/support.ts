import workerCode from 'inline-worker:../../src/workers/worker-entry.ts'
import { compileModules } from '../../src/kernels/compile.js'
import { PROGRAM, PROGRAM_MAGIC, STEP } from '../../src/kernels/contract.js'
import { hostFacts } from '../../src/kernels/host-facts.js'
import { instantiateRuntime, THREAD_SPAN_BYTES, type KernelRuntime } from '../../src/kernels/runtime.js'
import { createArena, type Arena } from '../../src/memory/arena.js'
import type { Address } from '../../src/memory/memory-host.js'
import { hostClock } from '../../src/engine/host-clock.js'
import { isMillraceError, type MillraceError } from '../../src/errors/millrace-error.js'
import { WorkerPool, type PoolOptions } from '../../src/workers/pool.js'
import { browserSpawner } from '../../src/workers/spawn-browser.js'
import { nodeSpawner } from '../../src/workers/spawn-node.js'
import type { SpawnWorker } from '../../src/workers/spawn.js'

export { workerCode }
export const shares = hostFacts().sab

/** The host's own threads running the given code, by default the real one. */
export function spawner(code: string = workerCode): SpawnWorker {
  return hostFacts().node ? nodeSpawner({ code }) : browserSpawner({ code })
}

export interface Bench { readonly arena: Arena; readonly runtime: KernelRuntime; readonly pool: WorkerPool }

/** An arena with a pool on it, as an engine would make them. */
export async function makePool(options: Partial<PoolOptions> = {}, shared: boolean = shares): Promise<Bench> {
  const arena = createArena({ bytes: 2 ** 24, shared, wasm: true }), compiled = await compileModules({ shared })
  const runtime = instantiateRuntime(compiled, arena.memory!)
  runtime.core.alloc_donate(arena.allocate(THREAD_SPAN_BYTES), THREAD_SPAN_BYTES)
  const pool = new WorkerPool({
    arena, runtime, compiled: (kind) => kind === shared ? Promise.resolve(compiled) : compileModules({ shared: kind }),
    mode: { mode: shared ? 'shared' : 'transfer', reason: 'test' },
    mayTransfer: false, spawn: spawner(), size: 4, startTimeoutMs: 5_000, clock: hostClock, clockOriginMs: performance.timeOrigin,
    ownBytes: 2 ** 24, ...options,
  })
  return { arena, runtime, pool }
}

/**
 * A program of steps that call table entry `process`, by default one that is empty and traps (0 steps: a program
 * that is done at once), as bytes in the arena.
 */
export function emptyProgram(arena: Arena, trappingSteps = 0, process = 4_000): Address {
  const address = arena.allocate(PROGRAM.BYTES + trappingSteps * (STEP.BYTES + 64)), { u32 } = arena
  u32[(address + PROGRAM.MAGIC) >>> 2] = PROGRAM_MAGIC
  u32[(address + PROGRAM.STEP_COUNT) >>> 2] = trappingSteps
  u32[(address + PROGRAM.STEPS) >>> 2] = address + PROGRAM.BYTES
  for (let i = 0; i < trappingSteps; i++) {
    const step = address + PROGRAM.BYTES + i * STEP.BYTES
    u32[(step + STEP.PROCESS) >>> 2] = process
    u32[(step + STEP.IO) >>> 2] = address + PROGRAM.BYTES + trappingSteps * STEP.BYTES + i * 64
    u32[(step + STEP.MAX_FRAMES) >>> 2] = u32[(step + STEP.WANTED) >>> 2] = 64
  }
  return address
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<MillraceError> {
  try { await promise } catch (error) {
    if (isMillraceError(error)) return error
    throw error
  }
  throw new Error('expected a rejection, got a value')
}
