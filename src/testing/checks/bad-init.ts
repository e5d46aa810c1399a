import type { ParamDeclaration } from '../../graph/node-definition.js'
import { ASSET, INIT, PORT } from '../../kernels/contract.js'
import type { KernelCode } from '../../kernels/kernel-code.js'
import { KernelInstance } from '../../kernels/kernel-instance.js'
import { DTYPE_ID, type Dtype } from '../../media/dtype.js'
import type { SampleFormat } from '../../media/media-type.js'
import { randomSource } from '../signals.js'
import type { Subject } from '../subject.js'

/** State larger than this is not tried: a random maxFrames may ask for much. */
const MOST_STATE_BYTES = 4 * 2 ** 20
/** Shared blocks may take long to fill: only so many are, in random trials. */
const MOST_SHARED_TRIALS = 12

/** One wrong field of Init: what it is, and how it is written. */
interface Fault {
  readonly what: string
  readonly write: () => void
  /** Only that it does not trap: it may be a legal value. */
  readonly tolerated?: boolean
}

/** Every wrong Init gives a status, and none traps (KE-10): a table of single faults, then random blocks. */
export function checkBadInit(subject: Subject, randomInits: number): void {
  const { host, kase, log } = subject
  if (!host.compiled) return
  const spec = kase.spec(256)
  const code = host.code(spec, kase.parts)
  const instance = new KernelInstance(code, spec, host.memory)
  const trial = new InitTrial(host.memory, code, instance)
  const table = faultTable(subject, instance)
  for (const { what, write, tolerated } of table) {
    const result = trial.run(write, true)
    if (typeof result === 'string') subject.fault('bad-init', `${what}: ${result}`)
    else if (result >= 0 && tolerated !== true) subject.fault('bad-init', `${what}: expected a status, got ${result}`)
  }
  const next = randomSource(0xbad)
  let shared = 0
  for (let n = 0; n < randomInits && !log.failed('bad-init'); n++) {
    const result = trial.run(() => scramble(instance, host.memory, next), trial.filledShared < MOST_SHARED_TRIALS)
    if (typeof result === 'string') subject.fault('bad-init', `random Init ${n}: ${result}`)
    else if (result >= 0) shared++
  }
  instance.close()
  for (const damage of host.memory.damage()) subject.fault('bad-init', damage)
  log.note('bad-init', `${table.length} single faults, ${randomInits} random blocks (${shared} of them legal)`)
}

/** Runs `size`, `shared` and `init` on changed descriptors and puts these back. */
class InitTrial {
  filledShared = 0
  readonly #pristine: Uint8Array

  constructor(readonly memory: Subject['host']['memory'], readonly code: KernelCode, readonly instance: KernelInstance) {
    const { address, bytes } = instance.descriptors
    this.#pristine = memory.u8.slice(address, address + bytes)
  }

  /** A status, 0 for a legal Init, or the text of a trap. */
  run(write: () => void, fill: boolean): number | string {
    const { address, init } = this.instance.descriptors
    write()
    try {
      const bytes = this.code.size(init)
      return bytes < 0 || bytes > MOST_STATE_BYTES ? Math.min(bytes, 0) : this.#start(bytes, init, fill)
    } catch (error) {
      return `trapped: ${error instanceof Error ? error.message : String(error)}`
    } finally {
      this.memory.u8.set(this.#pristine, address)
    }
  }

  #start(bytes: number, init: number, fill: boolean): number {
    const { u32 } = this.memory
    const sharedBytes = u32[(init + INIT.SHARED_BYTES) >>> 2]!
    if (sharedBytes > 0 && (!fill || sharedBytes > MOST_STATE_BYTES)) return 0
    const state = this.memory.allocate(bytes), shared = sharedBytes > 0 ? this.memory.allocate(sharedBytes) : 0
    try {
      u32[(init + INIT.SHARED) >>> 2] = shared
      if (shared !== 0) this.filledShared++
      const filled = shared === 0 ? 0 : this.code.shared?.(shared, init) ?? 0
      return filled < 0 ? filled : this.code.init(state, init)
    } finally {
      this.code.drop?.(state)
      this.memory.free(state)
      if (shared !== 0) this.memory.free(shared)
    }
  }
}

function faultTable({ host: { memory }, kase }: Subject, instance: KernelInstance): readonly Fault[] {
  const { spec, descriptors: d } = instance
  const word = (what: string, at: number, value: number, tolerated = false): Fault => ({
    what, write: () => { memory.u32[at >>> 2] = value }, tolerated,
  })
  const double = (what: string, at: number, value: number, tolerated = false): Fault => ({
    what, write: () => { memory.f64[at >>> 3] = value }, tolerated,
  })
  const faults: Fault[] = [
    word('contract version 2', d.init + INIT.VERSION, 2), word('maxFrames 0', d.init + INIT.MAX_FRAMES, 0),
    word('no inputs and outputs', d.init + INIT.INPUTS, 0, spec.inputs.length === 0),
    word('no outputs', d.init + INIT.OUTPUTS, 0, spec.outputs.length === 0),
    word('one input too many', d.init + INIT.INPUTS, spec.inputs.length + 1, kase.links.some((link) => link.includes('.'))),
  ]
  spec.inputs.forEach((port, index) => {
    if (!port.connected) return
    const at = instance.inputPort(index), name = `input ${port.name}`
    faults.push(
      word(`${name}: 0 channels`, at + PORT.CHANNELS, 0), word(`${name}: 65 channels`, at + PORT.CHANNELS, 65),
      word(`${name}: 2³² − 1 channels`, at + PORT.CHANNELS, 0xffffffff),
    )
    faults.push(word(`${name}: width 0`, at + PORT.WIDTH, 0), word(`${name}: width 65 536`, at + PORT.WIDTH, 65_536))
    if (port.framesPerSecond > 0) {
      for (const rate of [0, -1, Number.NaN, Infinity, 1e9]) faults.push(double(`${name}: rate ${rate}`, at + PORT.FPS_F64, rate))
    }
    const allowed = allowedDtypes(kase.definition.inputs[port.name.replace(/\.\d+$/, '')]?.media, port.dtype)
    for (const dtype of Object.keys(DTYPE_ID) as Dtype[]) if (!allowed.has(dtype)) {
      faults.push({ what: `${name}: dtype ${dtype}`, write: () => { memory.u8[at + PORT.DTYPE_U8] = DTYPE_ID[dtype] } })
    }
    faults.push({ what: `${name}: dtype 99`, write: () => { memory.u8[at + PORT.DTYPE_U8] = 99 } })
  })
  spec.outputs.forEach((port, index) => {
    if (!port.connected) return
    const at = instance.outputPort(index)
    faults.push(
      word(`output ${port.name}: 0 channels`, at + PORT.CHANNELS, 0), word(`output ${port.name}: 65 channels`, at + PORT.CHANNELS, 65),
    )
    faults.push({ what: `output ${port.name}: dtype 99`, write: () => { memory.u8[at + PORT.DTYPE_U8] = 99 } })
  })
  const declared = kase.definition.kernel?.slots ? [] : Object.entries(kase.definition.params)
  spec.slots.forEach((_, slot) => {
    const [name, param] = declared[slot] ?? [`slot ${slot}`, undefined]
    for (const value of [Number.NaN, Infinity, -Infinity, 1e300, -1e300, 0.5]) {
      faults.push(double(`param ${name}: ${value}`, d.params + slot * 8, value, param === undefined || !outOfRange(param, value)))
    }
  })
  if (spec.assets.length > 0) {
    faults.push(
      word('no assets', d.init + INIT.ASSET_COUNT, 0), word('asset of 0 bytes', d.assets + ASSET.BYTES_U32, 0),
      word('asset of dtype 99', d.assets + ASSET.DTYPE, 99),
    )
  }
  return faults
}

/** True when a slot's declaration itself excludes the value. */
function outOfRange(param: ParamDeclaration, value: number): boolean {
  switch (param.type) {
    case 'number': return Number.isNaN(value)
      ? param.default !== undefined || param.required === true
      : value < (param.min ?? -Infinity) || value > (param.max ?? Infinity)
    case 'integer':
      return !Number.isNaN(value) && (!Number.isInteger(value) || value < (param.min ?? -Infinity) || value > (param.max ?? Infinity))
    case 'enum': return value !== Math.floor(value) || Math.abs(value) > (param.values?.length ?? 0)
    default: return false
  }
}

/** Dtypes that an input's constraint admits. */
function allowedDtypes(media: unknown, own: Dtype): ReadonlySet<Dtype> {
  const format = (media as { readonly format?: SampleFormat | readonly SampleFormat[] } | undefined)?.format
  return new Set<Dtype>([own, ...(Array.isArray(format) ? format as readonly SampleFormat[] : [])])
}

/**
 * One to three random fields of Init, ports, params and assets get values from the edges of their types; addresses stay within the block.
 */
function scramble({ spec, descriptors: d }: KernelInstance, memory: Subject['host']['memory'], next: () => number): void {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!
  const ports = spec.inputs.length + spec.outputs.length
  const words = [0, 1, 2, 63, 64, 65, 255, 0x7fffffff, 0x80000000, 0xffffffff]
  for (let edits = 1 + Math.floor(next() * 3); edits > 0; edits--) {
    const port = d.ports + Math.floor(next() * ports) * PORT.BYTES
    switch (Math.floor(next() * 8)) {
      case 0:
        memory.u32[(d.init + pick([INIT.VERSION, INIT.MAX_FRAMES, INIT.PARAM_COUNT, INIT.ASSET_COUNT, INIT.INPUTS, INIT.OUTPUTS])) >>> 2] =
          pick(words)
        break
      case 1: memory.f64[(d.init + INIT.RATE_F64) >>> 3] = pick([0, -1, Number.NaN, Infinity, 1, 1e-300, 1e300, next() * 1e6]); break
      case 2: memory.u32[(d.init + pick([INIT.PORTS, INIT.PARAMS, INIT.ASSETS])) >>> 2] =
        d.address + Math.floor(next() * (d.bytes - 64) / 16) * 16; break
      case 3: memory.u32[(port + pick([PORT.CHANNELS, PORT.WIDTH, PORT.STRIDE, PORT.FRAMES])) >>> 2] = pick(words); break
      case 4: memory.u8[port + pick([PORT.DTYPE_U8, PORT.MEDIA_U8, PORT.FLAGS_U16])] = Math.floor(next() * 256); break
      case 5:
        memory.f64[(port + PORT.FPS_F64) >>> 3] = pick([0, -1, Number.NaN, Infinity, 99, 1e-300, 1e300, 768_000, 768_001, next() * 1e6])
        break
      case 6: if (spec.slots.length > 0) {
        memory.f64[(d.params >>> 3) + Math.floor(next() * spec.slots.length)] = pick([
          Number.NaN, Infinity, -Infinity, 0, -1, 1e300, next() * 100, Math.floor(next() * 10),
        ])
      } break
      default: if (spec.assets.length > 0) {
        memory.u32[(d.assets + Math.floor(next() * spec.assets.length) * ASSET.BYTES
          + pick([ASSET.BYTES_U32, ASSET.DTYPE, ASSET.COUNT])) >>> 2] = pick(words)
      }
    }
  }
}
