/** What a script tag gets as `globalThis.millrace`: the engine and every node (PK-20). */
export * from './index.js'
export * from './nodes/index.js'
