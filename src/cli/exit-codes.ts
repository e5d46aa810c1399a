/** Exit codes of every command (spec packaging.md, PK-68). */
export const EXIT = { OK: 0, FAILED: 1, USAGE: 2, DIAGNOSTICS: 3, INTERRUPTED: 130 } as const
