import { hexOf, sha256 } from '../../sha256.js'
import { utf8Length, writeUtf8 } from '../../utf8.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID (RFC 9562, version 8) that stands for a name: equal names give equal ids. A name that is a UUID stands for itself. */
export function uuidOf(name: string): string {
  if (UUID.test(name)) return name
  const bytes = new Uint8Array(Math.max(0, utf8Length(name)))
  if (bytes.length > 0) writeUtf8(bytes, 0, name)
  const hex = hexOf(sha256(bytes))
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
