export function outputHashes(folder?: string): Record<string, string>
export function sourceHashes(): Record<string, string>
export function toolVersions(): Record<string, string>
