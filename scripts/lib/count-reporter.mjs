/**
 * Vitest reporter: counts tests per project, so that a project that ran nothing is seen, names what failed or passed at a
 * second try, and keeps the closing line for CI.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './say.mjs'

export default class CountReporter {
  /** `expected`: projects that must have run something, as in CI. */
  constructor({ expected = [] } = {}) {
    this.expected = expected
  }

  onTestRunEnd(modules, unhandled) {
    const counts = new Map()
    const named = []
    const note = (what, name, module, of, errors) => {
      named.push(
        `${what} (${name}): ${module.relativeModuleId} ${of} ${String(errors?.[0]?.message ?? '').split('\n')[0].slice(0, 300)}`.trimEnd(),
      )
    }
    for (const module of modules) {
      // A browser project is named `isolated (chromium)`.
      const name = module.project.name.split(' ')[0]
      const of = counts.get(name) ?? { passed: 0, failed: 0, skipped: 0 }
      counts.set(name, of)
      // A file that cannot be loaded, or whose hooks fail, counts as one failure more.
      of.failed += module.errors().length
      if (module.errors().length > 0) note('failed', name, module, '', module.errors())
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'failed') note('failed', name, module, `> ${test.fullName}:`, errors)
        else if (test.diagnostic()?.flaky) note('passed at a second try', name, module, `> ${test.fullName}:`, errors)
        of[state === 'passed' || state === 'failed' ? state : 'skipped']++
      }
    }
    const total = { passed: 0, failed: unhandled.length, skipped: 0 }
    const lines = [
      ...named,
      ...unhandled.map((error) => `failed: nobody caught ${String(error.message ?? error).split('\n')[0].slice(0, 300)}`),
    ]
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
    const file = process.env.MILLRACE_COUNTS ?? join(root, '.cache/tests.txt')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${lines.join('\n')}\n`)
    console.log(lines.join('\n'))
  }
}
