/** One line per step, and failures that say how to fix them (PK-66). */
import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

export function say(step, text) {
  console.log(`${step}: ${text}`)
}

/** Prints what is wrong and how to fix it, and ends the script with code 1. */
export function fail(step, text) {
  console.error(`${step}: FAILED. ${text}`)
  process.exit(1)
}

/** Runs a command of this step with its output shown. Ends the script with `fix` when it fails. */
export function run(step, command, args, { fix, env, cwd = root, quiet = false } = {}) {
  const from = performance.now()
  const result = spawnSync(command, args, {
    cwd, env: { ...process.env, ...env }, stdio: quiet ? 'pipe' : 'inherit', encoding: 'utf8', maxBuffer: 1 << 28,
  })
  if (result.error || result.status !== 0) {
    if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`)
    const why = result.error ? result.error.message : `exit code ${result.status ?? result.signal}`
    fail(step, `\`${[command, ...args].join(' ')}\`: ${why}. ${fix ?? 'The lines above say why.'}`)
  }
  say(step, `done in ${((performance.now() - from) / 1000).toFixed(1)} s`)
  return result.stdout
}

/** A command installed in node_modules, run by this Node: works on every platform without a shell. */
export function runBin(step, packageBin, args, options) {
  return run(step, process.execPath, [resolve(root, 'node_modules', packageBin), ...args], options)
}
