import { describe, expect, test } from 'vitest'
import { Sha256, hexOf, sha256 } from '../../src/graph/sha256.js'
import { compareUtf8, writeUtf8 } from '../../src/graph/utf8.js'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

describe('SHA-256', () => {
  test('published digests (FIPS 180-4 examples)', () => {
    expect(hexOf(sha256(ascii('')))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hexOf(sha256(ascii('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(hexOf(sha256(ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))))
      .toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1')
    expect(hexOf(sha256(new Uint8Array(1_000_000).fill(0x61)))).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')
  })

  test('pieces of any length give the digest of the whole', () => {
    const data = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 255)
    for (let cut = 0; cut <= 300; cut++) {
      const hasher = new Sha256().update(data, 0, cut).update(data.subarray(cut))
      expect(hexOf(hasher.digest())).toBe(hexOf(sha256(data)))
    }
  })

  test('an instance hashes many messages', () => {
    const hasher = new Sha256().update(ascii('left over'))
    expect(hexOf(hasher.reset().update(ascii('abc')).digest())).toBe(hexOf(sha256(ascii('abc'))))
  })
})

describe('UTF-8', () => {
  const samples = ['', 'abc', 'é', '€', '😀', 'a€😀é', '\u0000', '\uffff', '\ud7ff\ue000']

  test('bytes are those of TextEncoder', () => {
    for (const text of samples) {
      const expected = new TextEncoder().encode(text)
      const target = new Uint8Array(expected.length + 2)
      expect(writeUtf8(target, 1, text)).toBe(expected.length + 1)
      expect([...target.subarray(1, -1)]).toEqual([...expected])
    }
  })

  test('a lone surrogate has no form', () => {
    for (const text of ['\ud800', 'a\udc00', '\ud800a', '\udc00\ud800', '\ud83d']) expect(writeUtf8(new Uint8Array(32), 0, text)).toBe(-1)
  })

  test('order is that of the bytes', () => {
    const byBytes = (a: string, b: string): number => {
      const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)]
      for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i]! - y[i]!
      return x.length - y.length
    }
    for (const a of samples) for (const b of samples) expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(byBytes(a, b)))
  })
})
