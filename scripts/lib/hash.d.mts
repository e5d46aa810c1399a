export function sha256(bytes: string | Uint8Array): string
export function hashFile(path: string): string
export function listFiles(folder: string, keep?: (path: string) => boolean): string[]
