/**
 * What works on an engine's memory beside graphs (`millrace/memory`): rings between threads, control messages, tensor descriptors, half
 * floats, and the border to the platform. An entry of its own, so that a page which only runs graphs does not load it; workers and worklets
 * load it too. Nothing runs at import.
 */
import * as platform from './memory/platform/to-platform.js'

export { platform }
export {
  attachReader, attachWriter, createRing, type Ring, type RingReader, type RingSpec, type RingWriter,
} from './memory/ring/audio-ring.js'
export { ByteRingReader, ByteRingWriter, createByteRing, type ByteRing } from './memory/ring/byte-ring.js'
export type { RingCore, RingHost, RingParts, RingSamples } from './memory/ring/ring-end.js'
export type { BlockingWait } from './memory/ring/ring-wait.js'
export { memoryViews, tryView, type MemoryViews } from './memory/views.js'
export { copyFrom, describeBlock, importDescriptor, type StridedSource, type TensorDescriptor } from './memory/descriptor.js'
export { CopyLedger } from './memory/copies.js'
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, fromBf16, fromF16, toBf16, toF16 } from './memory/half.js'
export { probePlatform, type PlatformRow } from './memory/platform/platform-probe.js'
export { textOfBytes } from './memory/platform/text.js'
export { decodePacket, encodePacket, PacketCodec, type AnyPacket, type DecodeOptions } from './workers/codec/packet-codec.js'
export type { BodyOf, ControlPacket, MessageBody, MessageName, PacketHeader, TensorRef, ValueOf } from './workers/codec/packet.js'
export type { Fields, FieldSpec, MessageSpec } from './workers/codec/packet-table.js'
export { workerWait } from './workers/worker-wait.js'
