// Codec of control messages (MW-38), twin of src/workers/codec/packet-codec.ts and of crate abi's codec.rs: same bytes, same faults. No
// heap: a message is walked in place, leaf by leaf, and written by `put…` functions that return the address behind what they wrote. Texts
// are addresses and lengths of UTF-8; JSON is text.
import {
  FIELD_BOOL, FIELD_F64, FIELD_I32, FIELD_JSON, FIELD_LIST, FIELD_MAP, FIELD_OPTION, FIELD_RECORD, FIELD_TENSOR, FIELD_TEXT, FIELD_U32,
  FIELD_U64, FIELD_U8, PACKET_BYTES, PACKET_FAULT_OK, PACKET_FAULT_SKIP, PACKET_FAULT_TEXT, PACKET_FAULT_TRAILING, PACKET_FAULT_TRUNCATED,
  PACKET_FAULT_TYPE, PACKET_FAULT_VALUE, PACKET_FAULT_VERSION, PACKET_FLAG_BLOCK, PACKET_FLAG_OPTIONAL, PACKET_FLAGS_U8, PACKET_SEQ,
  PACKET_VERSION, PACKET_VERSION_U16, REFUSED_TYPES, TENSOR_REF_BYTES, TENSOR_REF_MOST_DIMENSIONS, TENSOR_REF_NDIM_U8, schemaOf,
} from './codec-table'

/** Bytes of scratch that {@link walkPacket} needs: a cursor. */
export const WALK_BYTES: usize = 32
/**
 * A leaf as it is written out: kind, address of its bytes (a text's first character, a count's word), length in
 * bytes (of a list, map or option: the count).
 */
export const LEAF_BYTES: usize = 12
// cursor: +0 at, +4 end, +8 kinds, +12 fault, +16 leaves out (0: none wanted), +20 end of the room, +24 leaves seen

/** A message's type, checked: 1–255, or a fault of PACKET_FAULT. SKIP: optional and unknown. */
export function packetType(at: usize, bytes: u32): i32 {
  if (bytes < PACKET_BYTES) return PACKET_FAULT_TRUNCATED
  if (<u32>load<u16>(at + PACKET_VERSION_U16) != PACKET_VERSION) return PACKET_FAULT_VERSION
  const type = <u32>load<u8>(at)
  if (schemaOf(type) != 0) return <i32>type
  return (<u32>load<u8>(at + PACKET_FLAGS_U8) & PACKET_FLAG_OPTIONAL) != 0 && type > 0 && type < REFUSED_TYPES
    ? PACKET_FAULT_SKIP
    : PACKET_FAULT_TYPE
}

/**
 * Checks a whole message and lists its leaves at `out` (0: only checks), up to `room` bytes. How many
 * there are, or a fault. Never reads outside.
 */
export function walkPacket(at: usize, bytes: u32, scratch: usize, out: usize, room: u32): i32 {
  const type = packetType(at, bytes)
  if (type < 0) return type
  const schema = schemaOf(<u32>type), inBlock = (<u32>load<u8>(at + PACKET_FLAGS_U8) & PACKET_FLAG_BLOCK) != 0
  store<u32>(scratch, <u32>at + PACKET_BYTES)
  store<u32>(scratch, <u32>at + bytes, 4)
  store<u32>(scratch, PACKET_FAULT_OK, 12)
  store<u32>(scratch, <u32>out, 16)
  store<u32>(scratch, <u32>out + room, 20)
  store<u32>(scratch, 0, 24)
  if (inBlock) leafTensor(scratch)
  else {
    const last = <u32>schema + 1 + <u32>load<u8>(schema)
    store<u32>(scratch, <u32>schema + 1, 8)
    while (load<i32>(scratch, 12) == 0 && load<u32>(scratch, 8) < last) walkValue(scratch)
  }
  const fault = load<i32>(scratch, 12)
  if (fault != 0) return fault
  return load<u32>(scratch) == load<u32>(scratch, 4) ? load<i32>(scratch, 24) : PACKET_FAULT_TRAILING
}

function nextKind(c: usize): u32 {
  const kinds = <usize>load<u32>(c, 8)
  store<u32>(c, <u32>kinds + 1, 8)
  return <u32>load<u8>(kinds)
}

/** Steps over one field with what belongs to it. */
function skipField(c: usize): void {
  const kind = nextKind(c)
  if (kind == FIELD_LIST || kind == FIELD_MAP || kind == FIELD_OPTION) skipField(c)
  else if (kind == FIELD_RECORD) for (let count = nextKind(c); count > 0; count--) skipField(c)
}

function walkValue(c: usize): void {
  const kind = nextKind(c)
  switch (kind) {
    case FIELD_U8: leaf(c, kind, take(c, 1), 1); break
    case FIELD_BOOL: bit(c, kind); break
    case FIELD_U32:
    case FIELD_I32: leaf(c, kind, take(c, 4), 4); break
    case FIELD_F64: leaf(c, kind, take(c, 8), 8); break
    case FIELD_U64: {
      const at = take(c, 8)
      if (at != 0 && load<u64>(at) > 0x1f_ffff_ffff_ffff) fail(c, PACKET_FAULT_VALUE)
      leaf(c, kind, at, 8)
      break
    }
    case FIELD_TEXT:
    case FIELD_JSON: text(c, kind); break
    case FIELD_TENSOR: leafTensor(c); break
    case FIELD_LIST:
    case FIELD_MAP: {
      const at = take(c, 4), count: u32 = at == 0 ? 0 : load<u32>(at)
      if (count > load<u32>(c, 4) - load<u32>(c)) fail(c, PACKET_FAULT_TRUNCATED)
      leaf(c, kind, at, count)
      repeat(c, count, kind == FIELD_MAP)
      break
    }
    case FIELD_OPTION: repeat(c, bit(c, kind), false); break
    default: for (let count = nextKind(c); count > 0 && load<i32>(c, 12) == 0; count--) walkValue(c)
  }
}

/** `count` values of the kind that follows, each behind a key when `keyed`. */
function repeat(c: usize, count: u32, keyed: bool): void {
  const inner = load<u32>(c, 8)
  skipField(c)
  const after = load<u32>(c, 8)
  for (; count > 0 && load<i32>(c, 12) == 0; count--) {
    store<u32>(c, inner, 8)
    if (keyed) text(c, FIELD_TEXT)
    if (load<i32>(c, 12) == 0) walkValue(c)
  }
  store<u32>(c, after, 8)
}

function bit(c: usize, kind: u32): u32 {
  const at = take(c, 1), value: u32 = at == 0 ? 0 : <u32>load<u8>(at)
  if (value > 1) fail(c, PACKET_FAULT_VALUE)
  leaf(c, kind, at, kind == FIELD_OPTION ? value : 1)
  return value
}

function text(c: usize, kind: u32): void {
  const at = take(c, 4), bytes: u32 = at == 0 ? 0 : load<u32>(at), first = take(c, bytes)
  if (first != 0 && !isUtf8(first, bytes)) fail(c, PACKET_FAULT_TEXT)
  leaf(c, kind, first, bytes)
}

function leafTensor(c: usize): void {
  const at = take(c, TENSOR_REF_BYTES), dimensions: u32 = at == 0 ? 0 : <u32>load<u8>(at + TENSOR_REF_NDIM_U8)
  if (dimensions > TENSOR_REF_MOST_DIMENSIONS) fail(c, PACKET_FAULT_VALUE)
  else take(c, dimensions * 8)
  leaf(c, FIELD_TENSOR, at, TENSOR_REF_BYTES + dimensions * 8)
}

/** Address of the next `bytes` bytes, or 0 after a fault. */
function take(c: usize, bytes: u32): usize {
  const at = load<u32>(c)
  if (load<i32>(c, 12) != 0) return 0
  if (bytes > load<u32>(c, 4) - at) { fail(c, PACKET_FAULT_TRUNCATED); return 0 }
  store<u32>(c, at + bytes)
  return <usize>at
}

function fail(c: usize, fault: i32): void { if (load<i32>(c, 12) == 0) store<i32>(c, fault, 12) }

function leaf(c: usize, kind: u32, at: usize, bytes: u32): void {
  if (load<i32>(c, 12) != 0) return
  const seen = load<u32>(c, 24), out = load<u32>(c, 16) + seen * <u32>LEAF_BYTES
  store<u32>(c, seen + 1, 24)
  if (load<u32>(c, 16) == 0 || out + <u32>LEAF_BYTES > load<u32>(c, 20)) return
  store<u32>(out, kind)
  store<u32>(out, <u32>at, 4)
  store<u32>(out, bytes, 8)
}

/** Are these bytes UTF-8 (Unicode 15, table 3-7)? */
export function isUtf8(at: usize, bytes: u32): bool {
  const end = at + <usize>bytes
  while (at < end) {
    const lead = <u32>load<u8>(at++)
    if (lead < 0x80) continue
    if (lead < 0xc2 || lead > 0xf4) return false
    const more: usize = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    if (more > end - at) return false
    const second = <u32>load<u8>(at)
    const low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80
    const high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf
    if (second < low || second > high) return false
    for (let i: usize = 1; i < more; i++) if ((<u32>load<u8>(at + i) & 0xc0) != 0x80) return false
    at += more
  }
  return true
}

/** Writes a header without ids and time; returns the address of the payload. */
export function putHeader(at: usize, type: u32, flags: u32, seq: u32): usize {
  memory.fill(at, 0, PACKET_BYTES)
  store<u8>(at, <u8>type)
  store<u8>(at + PACKET_FLAGS_U8, <u8>flags)
  store<u16>(at + PACKET_VERSION_U16, <u16>PACKET_VERSION)
  store<u32>(at + PACKET_SEQ, seq)
  return at + PACKET_BYTES
}
/** Each writes a value and returns the address behind it. `putU32`: also counts of lists and maps. */
export function putU8(at: usize, value: u32): usize { store<u8>(at, <u8>value); return at + 1 }
export function putU32(at: usize, value: u32): usize { store<u32>(at, value); return at + 4 }
export function putU64(at: usize, value: u64): usize { store<u64>(at, value); return at + 8 }
export function putF64(at: usize, value: f64): usize { store<f64>(at, value); return at + 8 }
/** Length and bytes of a text. */
export function putText(
  at: usize, from: usize, bytes: u32,
): usize { store<u32>(at, bytes); memory.copy(at + 4, from, bytes); return at + 4 + <usize>bytes }
/** A TensorRef that stands somewhere already, `bytes` long. */
export function putTensor(at: usize, from: usize, bytes: u32): usize { memory.copy(at, from, bytes); return at + <usize>bytes }
