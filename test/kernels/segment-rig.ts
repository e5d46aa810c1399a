import { BUFFER, BUFFER_FLAG, PASS } from '../../src/kernels/contract.js'
import { Interpreter } from '../../src/kernels/interpreter.js'
import { controlNames, referenceCode } from '../../src/kernels/reference-code.js'
import { processEntry } from '../../src/kernels/runtime.js'
import type { Arena } from '../../src/memory/arena.js'
import type { Address } from '../../src/memory/memory-host.js'
import type { SegmentInterpreter } from '../../src/schedule/passes.js'
import { buildProgram, type BuiltProgram } from '../../src/schedule/program.js'
import type { RandomSegment } from './random-segment.js'
import type { Bench } from './support.js'

/** A built segment with all its external input in memory and rooms for its outputs: driven pass by pass by the tests. */
export interface Rig {
  readonly arena: Arena
  readonly program: BuiltProgram
  readonly interpreter: SegmentInterpreter
  /** Everything that outputs have given, per external output. */
  readonly collected: Map<number, number[]>
  /** `frames` more of every input; the end when all were shown. */
  show(frames: number): void
  /** Empties the outputs that nothing inside reads. */
  drain(): void
  /** Gives everything back to the arena. */
  close(): void
}
export type Kind = 'rust' | 'twin' | 'reference'

export function openRig(
  kind: Kind, bench: Bench | Arena, segment: RandomSegment, roomFrames: number,
  input: (buffer: number, channel: number, frame: number) => number,
): Rig {
  const arena = 'runtime' in bench ? bench.arena : bench, { plan } = segment
  const made = 'runtime' in bench ? compiled(bench, segment, kind === 'twin') : interpreted(arena, segment)
  const { program } = made
  const rooms = new Map<number, Address>(), collected = new Map<number, number[]>()
  const record = (b: number, field: number): number => (program.buffer(b) + field) >>> 2
  const own: Address[] = []
  const place = (b: number, frames: number): Address => {
    const stride = Math.ceil(frames * 4 / 64) * 64, at = arena.allocate(Math.max(64, stride * 2))
    own.push(at)
    arena.u32[record(b, BUFFER.BASE)] = at
    arena.u32[record(b, BUFFER.STRIDE)] = stride
    arena.u32[record(b, BUFFER.CAPACITY)] = frames
    return at
  }
  plan.buffers.forEach((buffer, b) => {
    if (buffer.kind === 'input') {
      const frames = segment.inputFrames[b]!, at = place(b, frames), stride = arena.u32[record(b, BUFFER.STRIDE)]!
      for (let c = 0; c < 2; c++) {
        for (let n = 0; n < frames; n++) arena.f32[(at + c * stride) / 4 + n] = segment.silent?.has(b) ? 0 : input(b, c, n)
      }
      if (segment.silent?.has(b)) arena.u32[record(b, BUFFER.FLAGS)]! |= BUFFER_FLAG.SILENT
    }
    if (buffer.kind === 'output') {
      const at = place(b, buffer.readers.length > 0 ? 40_000 : roomFrames)
      const zeros = buffer.late?.zeros ?? 0, stride = arena.u32[record(b, BUFFER.STRIDE)]!
      for (let c = 0; c < 2; c++) arena.f32.fill(0, (at + c * stride) / 4, (at + c * stride) / 4 + zeros)
      arena.u32[record(b, BUFFER.FILLED)] = zeros
      rooms.set(b, at)
      collected.set(b, [])
    }
  })
  for (const { step, change } of segment.changes ?? []) if (!program.change(step, change)) throw new Error(`step ${step} took no change`)
  const shown = plan.buffers.map(() => 0)
  return {
    arena, program, interpreter: made.interpreter, collected,
    show(frames) {
      segment.inputFrames.forEach((all, b) => {
        shown[b] = Math.min(all, shown[b]! + frames)
        arena.u32[record(b, BUFFER.FILLED)] = shown[b]!
        if (shown[b] === all) arena.u32[record(b, BUFFER.FLAGS)]! |= BUFFER_FLAG.ENDED
      })
    },
    drain() {
      for (const [b, at] of rooms) {
        const filled = arena.u32[record(b, BUFFER.FILLED)]!, stride = arena.u32[record(b, BUFFER.STRIDE)]!, list = collected.get(b)!
        const inside = plan.buffers[b]!.readers.length > 0
        for (let n = inside ? list.length / 2 : 0; n < filled; n++) list.push(arena.f32[at / 4 + n]!, arena.f32[(at + stride) / 4 + n]!)
        if (!inside) arena.u32[record(b, BUFFER.FILLED)] = 0
      }
    },
    close() {
      program.close()
      for (const at of own) arena.free(at)
    },
  }
}

function compiled(bench: Bench, segment: RandomSegment, twin: boolean): { program: BuiltProgram; interpreter: SegmentInterpreter } {
  const { runtime, arena } = bench, ids: string[] = []
  const program = buildProgram(arena, segment.plan, {
    shared: undefined,
    code: (index) => {
      const { module, export: name } = segment.plan.nodes[index]!.spec, key = `${module}.${name}`
      const id = ids.includes(key) ? ids.indexOf(key) : ids.push(key) - 1, number = KNOWN.indexOf(key)
      runtime.register(number < 0 ? 100 + id : number, module, name)
      const code = runtime.kernel(module, name), entry = processEntry(number < 0 ? 100 + id : number)
      return { code, process: entry, flush: code.flush === undefined ? 0 : entry + 1 }
    },
  })
  const { segment_run: run, segment_step: step } = runtime.core
  return { program, interpreter: twin ? new Interpreter(arena, arena.base, runtime.call) : { run, step } }
}
/** Kernel ids that are the same on every bench, as an engine's are. */
const KNOWN = ['level.gain', 'level.mix', 'mine.stretch', 'mine.ramp', 'mine.faulty', 'level.channels', 'convert.convert', 'detect.vad']

function interpreted(arena: Arena, segment: RandomSegment): { program: BuiltProgram; interpreter: SegmentInterpreter } {
  const codes = segment.plan.nodes.map((node, i) =>
    referenceCode(node.spec, {
      reference: segment.definitions[i]!.reference!, params: segment.params[i]!, controls: controlNames(segment.definitions[i]!, node.spec),
    }, arena))
  const program = buildProgram(arena, segment.plan, {
    shared: undefined,
    code: (index) => ({ code: codes[index]!, process: 2 * index + 1, flush: codes[index]!.flush === undefined ? 0 : 2 * index + 2 }),
  })
  const interpreter = new Interpreter(arena, arena.base, (index, state, io) => {
    const code = codes[(index - 1) >> 1]!
    return index % 2 === 1 ? code.process(state, io) : code.flush!(state, io)
  })
  return { program, interpreter }
}

/** Drives a rig to its end with given chunk sizes; gives the codes of all passes. `stepwise`: pass number → step by step. */
export function drive(
  rig: Rig, chunks: () => number, stepwise: (pass: number) => boolean, each: (pass: number, code: number) => void = () => {},
): number[] {
  const codes: number[] = [], steps = rig.program.plan.nodes.length
  rig.show(chunks())
  for (let pass = 0; pass < 100_000; pass++) {
    let code: number
    if (stepwise(pass)) {
      code = PASS.MORE
      for (let i = 0; i < steps && code === PASS.MORE; i++) code = rig.interpreter.step(rig.program.address, 0, i)
    } else code = rig.interpreter.run(rig.program.address, 0)
    codes.push(code)
    each(pass, code)
    if (code === PASS.NEED_INPUT) rig.show(chunks())
    if (code !== PASS.MORE) rig.drain()
    if (code === PASS.DONE || code < 0) return codes
  }
  throw new Error('segment did not end')
}
