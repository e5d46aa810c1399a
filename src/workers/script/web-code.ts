/**
 * Bytes at a web address as they are now, past what caches hold; undefined for any other address, and for what is not
 * to be had: whoever imports it will say why.
 */
export async function webBytes(address: string | URL): Promise<Uint8Array | undefined> {
  try {
    const url = new URL(address, (globalThis as { readonly location?: { readonly href: string } }).location?.href)
    if (!/^https?:$/.test(url.protocol)) return undefined
    const reply = await fetch(url, { cache: 'no-cache' })
    return reply.ok ? new Uint8Array(await reply.arrayBuffer()) : undefined
  } catch { return undefined }
}

/** Name of the error of {@link requireSame}. */
export const CODE_CHANGED = 'CodeChanged'

/** After an import: what stands at its address is what was hashed, so it is what was imported. Throws `CodeChanged`. */
export async function requireSame(address: string, hashed: Uint8Array): Promise<void> {
  const now = await webBytes(address)
  if (now === undefined || (now.length === hashed.length && now.every((byte, i) => byte === hashed[i]))) return
  throw Object.assign(new Error('it has changed since it was hashed: the next run has the new code'), { name: CODE_CHANGED })
}
