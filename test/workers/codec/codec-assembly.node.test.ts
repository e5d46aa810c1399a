import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodePacket } from '../../../src/workers/codec/packet-codec.js'
import { PACKET_FAULT } from '../../../src/workers/codec/packet-table.js'
import { float, oneLine, tensorLine } from './golden-packets.js'

const assembly = fileURLToPath(new URL('../../../assembly/', import.meta.url))
/** A module that walks messages and writes them again from their leaves. */
const PROBE = `
import { putF64, putHeader, putTensor, putText, putU32, putU64, putU8, walkPacket } from '../sdk/codec'
export { isUtf8, walkPacket } from '../sdk/codec'
export function copy(at: usize, bytes: u32, scratch: usize, leaves: usize, room: u32, to: usize): usize {
  const count = walkPacket(at, bytes, scratch, leaves, room)
  if (count < 0) return 0
  let out = putHeader(to, load<u8>(at), load<u8>(at + 1), load<u32>(at + 4))
  memory.copy(to + 8, at + 8, 56)
  for (let i: i32 = 0; i < count; i++) {
    const leaf = leaves + <usize>i * 12, kind = load<u32>(leaf), from = <usize>load<u32>(leaf, 4), size = load<u32>(leaf, 8)
    switch (kind) {
      case 1: case 6: out = putU8(out, load<u8>(from)); break
      case 2: case 3: out = putU32(out, load<u32>(from)); break
      case 4: out = putU64(out, load<u64>(from)); break
      case 5: out = putF64(out, load<f64>(from)); break
      case 7: case 8: out = putText(out, from, size); break
      case 9: out = putTensor(out, from, size); break
      case 12: out = putU8(out, size); break
      default: out = putU32(out, size)
    }
  }
  return out
}`
interface Probe {
  copy(at: number, bytes: number, scratch: number, leaves: number, room: number, to: number): number
  walkPacket(at: number, bytes: number, scratch: number, out: number, room: number): number
  isUtf8(at: number, bytes: number): number
}
const [AT, TO, SCRATCH, LEAVES] = [0x200003, 0x300000, 0x400000, 0x410000]
let probe: Probe, u8: Uint8Array, view: DataView
beforeAll(async () => {
  let binary: Uint8Array | undefined
  const read = (path: string): string | null => { try { return readFileSync(path, 'utf8') } catch { return null } }
  const { error, stderr } = await asc.main([
    'kernels/probe.ts', '--config', 'asconfig.json', '--target', 'release', '--baseDir', assembly, '--memoryBase', String(0x90000),
    '--outFile', 'out.wasm',
  ], {
    readFile: (file, base) => file === 'kernels/probe.ts' ? PROBE : read(join(base, file)),
    writeFile: (file, contents) => { if (file === 'out.wasm' && typeof contents !== 'string') binary = contents },
    listFiles: () => [],
  })
  if (error || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`)
  const memory = new WebAssembly.Memory({ initial: 128, maximum: 65_536, shared: true })
  probe = (await WebAssembly.instantiate(Uint8Array.from(binary), { env: { memory } })).instance.exports as unknown as Probe
  u8 = new Uint8Array(memory.buffer)
  view = new DataView(memory.buffer)
}, 30_000)

const vectors = readFileSync(new URL('golden.txt', import.meta.url), 'utf8').trimEnd().split('\n\n')
  .map((block) => { const [name, bytes, ...leaves] = block.split('\n'); return { name: name!, bytes: Buffer.from(bytes!, 'hex'), leaves } })
const put = (bytes: Uint8Array): void => { u8.fill(0xaa, AT, AT + bytes.length + 64); u8.set(bytes, AT) }
const walk = (bytes: Uint8Array): number => { put(bytes); return probe.walkPacket(AT, bytes.length, SCRATCH, LEAVES, 12_000) }

function leafLine(index: number): string {
  const leaf = LEAVES + 12 * index, kind = view.getUint32(leaf, true), at = view.getUint32(leaf + 4, true)
  const size = view.getUint32(leaf + 8, true)
  const text = (): string => oneLine(new TextDecoder().decode(u8.slice(at, at + size)))
  switch (kind) {
    case 1: return `u8 ${u8[at]}`
    case 2: return `u32 ${view.getUint32(at, true)}`
    case 3: return `i32 ${view.getInt32(at, true)}`
    case 4: return `u64 ${view.getBigUint64(at, true)}`
    case 5: return `f64 ${float(view.getFloat64(at, true))}`
    case 6: return `bool ${u8[at]}`
    case 7: case 8: return `text ${text()}`
    case 9: {
      const dimensions = u8[at + 2]!
      const list = (from: number, signed: boolean): number[] => Array.from({ length: dimensions }, (_, i) =>
        signed ? view.getInt32(from + 4 * i, true) : view.getUint32(from + 4 * i, true))
      const [index, generation, offset, bytes] = [4, 8, 12, 16].map((o) => view.getUint32(at + o, true))
      return tensorLine({
        arena: u8[at]!, dtype: u8[at + 1]!, flags: u8[at + 3]!, index: index!, generation: generation!, offset: offset!, bytes: bytes!,
        shape: list(at + 20, false), strides: list(at + 20 + 4 * dimensions, true),
      })
    }
    case 10: return `list ${size}`
    case 11: return `map ${size}`
    default: return `option ${size}`
  }
}

describe('the codec in AssemblyScript (MW-38)', () => {
  test.each(vectors)('$name: leaves and bytes as in the other languages', ({ bytes, leaves }) => {
    const count = walk(bytes)
    expect(Array.from({ length: count }, (_, i) => leafLine(i))).toEqual(leaves)
    const end = probe.copy(AT, bytes.length, SCRATCH, LEAVES, 12_000, TO)
    expect(Buffer.from(u8.slice(TO, end)).toString('hex')).toBe(bytes.toString('hex'))
  })
  test('cut off anywhere, longer by a byte, other types and versions: the same faults', () => {
    for (const { bytes } of vectors) {
      for (let cut = 0; cut < bytes.length; cut++) {
        if (walk(bytes.subarray(0, cut)) !== PACKET_FAULT.TRUNCATED) expect.fail(`cut at ${cut}: ${walk(bytes.subarray(0, cut))}`)
      }
      expect(walk(Buffer.concat([bytes, Buffer.of(0)]))).toBe(PACKET_FAULT.TRAILING)
    }
    const ping = (type: number, flags: number, version = 1): number => {
      const bytes = Buffer.from(vectors.find((vector) => vector.name === 'ping')!.bytes)
      bytes[0] = type
      bytes[1] = flags
      bytes[2] = version
      return walk(bytes)
    }
    expect([ping(0, 128), ping(16, 0), ping(16, 128), ping(63, 128), ping(64, 128), ping(14, 0, 2)]).toEqual([
      PACKET_FAULT.TYPE, PACKET_FAULT.TYPE, PACKET_FAULT.SKIP, PACKET_FAULT.SKIP, PACKET_FAULT.TYPE, PACKET_FAULT.VERSION])
  })
  test('damaged messages: taken and refused as in TypeScript, which alone looks into JSON; nothing behind the message is read', () => {
    let seed = 21, refused = 0
    const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
    for (let round = 0; round < 10_000; round++) {
      const whole = vectors[random(vectors.length)]!.bytes
      const bytes = Buffer.from(whole.subarray(0, random(3) === 0 ? random(whole.length + 1) : whole.length))
      for (let hits = random(4); hits > 0 && bytes.length > 4; hits--) {
        bytes[random(6) === 0 ? random(bytes.length) : 4 + random(bytes.length - 4)] = random(3) === 0 ? 255 : random(256)
      }
      // A payload in a block is the channel's to open; here it is a reference and no more.
      if (bytes.length > 1) bytes[1]! &= 0xfe
      let reason = 'taken'
      try { if (decodePacket(bytes) === undefined) reason = 'skipped' } catch (error) { reason = (error as Error).message }
      const ours = walk(bytes)
      const same = ours >= 0 ? reason === 'taken' || reason.includes('text that is none')
        : ours === PACKET_FAULT.SKIP ? reason === 'skipped'
        : reason !== 'taken' && reason !== 'skipped'
      if (!same) expect.fail(`round ${round}: ${ours}, ${reason}`)
      refused += Number(ours < 0)
    }
    expect(refused).toBeGreaterThan(3_000)
  })
  test('UTF-8 as the platform judges it', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let seed = 3, good = 0
    const random = (most: number): number => { seed = Math.imul(seed, 1_664_525) + 1_013_904_223 | 0; return (seed >>> 8) % most }
    for (let round = 0; round < 20_000; round++) {
      const bytes = Uint8Array.from({ length: 1 + random(4) }, () => [
        0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
      ][random(20)]!)
      u8.set(bytes, AT)
      let valid = true
      try { decoder.decode(bytes) } catch { valid = false }
      good += Number(valid)
      if ((probe.isUtf8(AT, bytes.length) !== 0) !== valid) expect.fail(Buffer.from(bytes).toString('hex'))
    }
    expect(good).toBeGreaterThan(500)
  })
})
