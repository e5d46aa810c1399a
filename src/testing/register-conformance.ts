import { conformance, type Conforming, type ConformanceOptions } from './conformance.js'
import { CHECKS, type Finding } from './findings.js'

/** The two functions of a test runner that the suite needs; those of vitest, jest and node:test fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly test: (name: string, body: () => Promise<void>) => unknown
}

/**
 * Registers one test per check. The suite runs once, with the first of them; each test fails with its own findings, tier and case named.
 * @example registerConformance(gain, { describe, test })
 */
export function registerConformance(node: Conforming, { describe, test }: TestRunner, options: ConformanceOptions = {}): void {
  const { type } = 'definition' in node ? node.definition : node
  let findings: Promise<readonly Finding[]> | undefined
  describe(`conformance of ${type}`, () => {
    for (const check of CHECKS) test(check, async () => {
      const faults = (await (findings ??= conformance(node, options))).filter((finding) => finding.check === check && !finding.ok)
      if (faults.length > 0) throw new Error(faults.map(({ tier, detail }) => `${type}, ${check}, tier ${tier}: ${detail}`).join('\n'))
    })
  })
}
