export interface BuildRecord { outputs: Record<string, string>; sources: Record<string, string>; tools: Record<string, string> }
export function recordProblems(
  record: BuildRecord | undefined, sources?: Record<string, string>, outputs?: Record<string, string>,
): string[]
export function schemaProblems(record: Partial<BuildRecord>): string[]
