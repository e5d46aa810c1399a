/** JSON of any form, read without asking what it is; and what a call throws. For tests of documents that are wrong on purpose. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Loose = any

/** What a call throws; undefined when it does not. */
export function thrown(run: () => unknown): Loose { try { run() } catch (error) { return error } return undefined }
