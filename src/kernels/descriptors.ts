import { DTYPE_ID } from '../media/dtype.js'
import type { Address, MemoryHost } from '../memory/memory-host.js'
import { ABI_VERSION, ASSET, CONTROL, INIT, IO, MEDIA_ID, PORT, PORT_FLAG } from './contract.js'
import type { KernelSpec, PortSpec } from './kernel-spec.js'

/** Addresses of an instance's descriptors: one allocation, which stays where it is until the instance ends (spec kernels.md section 2). */
export interface Descriptors {
  readonly address: Address
  readonly bytes: number
  readonly init: Address
  readonly io: Address
  readonly ports: Address
  readonly params: Address
  readonly controls: Address
  readonly assets: Address
  /** The words that `io` names as cancel and beat until a thread takes the segment. */
  readonly cancel: Address
  readonly beat: Address
}

/** Bytes on a boundary of 64. */
const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

/** Allocates and writes Init, Io, ports, params, controls and assets. Owner: the caller, who frees `address`. Throws `ARENA_FULL`. */
export function writeDescriptors(spec: KernelSpec, host: MemoryHost): Descriptors {
  const ports = [...spec.inputs, ...spec.outputs]
  const sizes = [INIT.BYTES, IO.BYTES, 64, ports.length * PORT.BYTES, spec.slots.length * 8, spec.controls.length * CONTROL.BYTES,
    spec.assets.length * ASSET.BYTES,
    ...spec.assets.map((asset) => asset.data.byteLength)]
  const bytes = sizes.reduce((sum, size) => sum + aligned(size), 0)
  const address = host.allocate(bytes)
  let at = address
  const [init, io, words, portTable, params, controls, assets, ...data] = sizes.map((size) => {
    const start = at
    at += aligned(size)
    return start
  }) as [Address, Address, Address, Address, Address, Address, Address, ...Address[]]
  const d: Descriptors = { address, bytes, init, io, ports: portTable, params, controls, assets, cancel: words, beat: words + 4 }
  writeInit(spec, host, d)
  writeIo(spec, host, d)
  ports.forEach((port, n) => writePort(host, portTable + n * PORT.BYTES, port))
  spec.slots.forEach((value, n) => { host.f64[(params >>> 3) + n] = value })
  spec.controls.forEach((value, n) => {
    host.f32[(controls + n * CONTROL.BYTES + CONTROL.FROM_F32) >>> 2] = value
    host.f32[(controls + n * CONTROL.BYTES + CONTROL.TO_F32) >>> 2] = value
  })
  spec.assets.forEach((asset, n) => {
    const entry = (assets + n * ASSET.BYTES) >>> 2, from = asset.data
    host.u8.set(new Uint8Array(from.buffer, from.byteOffset, from.byteLength), data[n]!)
    host.u32[entry + (ASSET.ADDRESS >>> 2)] = data[n]!
    host.u32[entry + (ASSET.BYTES_U32 >>> 2)] = from.byteLength
    host.u32[entry + (ASSET.DTYPE >>> 2)] = DTYPE_ID[asset.dtype]
    host.u32[entry + (ASSET.COUNT >>> 2)] = from.length
  })
  return d
}

function writeInit(spec: KernelSpec, host: MemoryHost, d: Descriptors): void {
  const set = setter(host, d.init)
  set(INIT.VERSION, ABI_VERSION)
  set(INIT.MAX_FRAMES, spec.maxFrames)
  host.f64[(d.init + INIT.RATE_F64) >>> 3] = spec.rate
  set(INIT.SEED_U64, Number(spec.seed & 0xffff_ffffn))
  set(INIT.SEED_U64 + 4, Number((spec.seed >> 32n) & 0xffff_ffffn))
  set(INIT.INPUTS, spec.inputs.length)
  set(INIT.OUTPUTS, spec.outputs.length)
  set(INIT.PORTS, d.ports)
  set(INIT.PARAM_COUNT, spec.slots.length)
  set(INIT.PARAMS, d.params)
  set(INIT.ASSET_COUNT, spec.assets.length)
  set(INIT.ASSETS, d.assets)
}

function writeIo(spec: KernelSpec, host: MemoryHost, d: Descriptors): void {
  const set = setter(host, d.io)
  set(IO.INPUTS, spec.inputs.length)
  set(IO.OUTPUTS, spec.outputs.length)
  set(IO.PORTS, d.ports)
  set(IO.CONTROLS, spec.controls.length > 0 ? d.controls : 0)
  set(IO.CANCEL, d.cancel)
  set(IO.BEAT, d.beat)
  set(IO.ASSETS, d.assets)
}

function writePort(host: MemoryHost, at: Address, port: PortSpec): void {
  const set = setter(host, at)
  set(PORT.CHANNELS, port.channels)
  set(PORT.WIDTH, port.width)
  host.f64[(at + PORT.FPS_F64) >>> 3] = port.framesPerSecond
  host.u8[at + PORT.DTYPE_U8] = DTYPE_ID[port.dtype]
  host.u8[at + PORT.MEDIA_U8] = MEDIA_ID[port.kind]
  host.u16[(at + PORT.FLAGS_U16) >>> 1] = port.connected ? PORT_FLAG.CONNECTED : 0
}

function setter(host: MemoryHost, at: Address): (field: number, value: number) => void {
  return (field, value) => { host.u32[(at + field) >>> 2] = value }
}
