/** Vitest reporter: counts tests per project, so that a project that ran nothing is seen, and keeps the closing line for CI. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './say.mjs'

export default class CountReporter {
  /** `expected`: projects that must have run something, as in CI. */
  constructor({ expected = [] } = {}) {
    this.expected = expected
  }

  onTestRunEnd(modules, unhandled) {
    const counts = new Map()
    for (const module of modules) {
      // A browser project is named `isolated (chromium)`.
      const name = module.project.name.split(' ')[0]
      const of = counts.get(name) ?? { passed: 0, failed: 0, skipped: 0 }
      counts.set(name, of)
      // A file that cannot be loaded, or whose hooks fail, counts as one failure more.
      of.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        of[state === 'passed' || state === 'failed' ? state : 'skipped']++
      }
    }
    const total = { passed: 0, failed: unhandled.length, skipped: 0 }
    const lines = []
    for (const [name, count] of counts) {
      for (const key of Object.keys(total)) total[key] += count[key]
      lines.push(`project ${name}: ${count.passed} of ${count.passed + count.failed + count.skipped} passed`)
    }
    const idle = this.expected.filter((name) => (counts.get(name)?.passed ?? 0) === 0)
    if (idle.length > 0) {
      lines.push(`projects ${idle.join(', ')}: no test passed, which CI does not accept`)
      total.failed += idle.length
      process.exitCode = 1
    }
    lines.push(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
    mkdirSync(join(root, '.cache'), { recursive: true })
    writeFileSync(join(root, '.cache/tests.txt'), `${lines.join('\n')}\n`)
    console.log(lines.join('\n'))
  }
}
