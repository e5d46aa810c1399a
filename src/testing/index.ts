/** `millrace/testing`: the suite that every kernel node passes, built-in or a user's own. */
export { conformance, conformanceReport, type Conforming, type ConformanceOptions } from './conformance.js'
export { compiledHost, conformanceHosts, referenceHost, type ConformanceHost } from './conformance-host.js'
export type { Setup } from './conformance-case.js'
export { CHECKS, type CheckName, type Finding } from './findings.js'
export { GuardedMemory } from './guarded-memory.js'
export { registerConformance, type TestRunner } from './register-conformance.js'
