/**
 * `node scripts/long-runs.mjs [name…]`: the tests that CI runs with small counts, once with their full counts, one after the other (all, or
 * those named). What came out, with counts, seeds and durations, is kept by name in bench/results/long-runs.json. A variable that is set,
 * such as MILLRACE_KILLS or MILLRACE_SEED, goes before the full count. The hour of random runs is `npm run soak`. Runs with seeds are done
 * in parts, one for each seed, so that graphs differ too and what was done stays when a later part is stopped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { ensureDependencies } from './lib/dependencies.mjs'
import { fail, root, run, say } from './lib/say.mjs'

const seed = '11', kills = '10000'
/** Runs of the kill suite of whole runs: on each kind of memory, fed in both ways; in Chromium all that its isolation lets it do. */
const KINDS = ['shared memory, whole values', 'shared memory, chunks', 'private memories, whole values', 'private memories, chunks']
const suite = { file: 'test/workers/kill-runs.test.ts' }
const ENDS_IN_RUNS = {
  ...Object.fromEntries(KINDS.map((only) =>
    [`ends in runs: ${only}`, { ...suite, only, env: { MILLRACE_KILLS: '1000' }, seeds: Array.from({ length: 10 }, (_, n) => 101 + n) }])),
  ...Object.fromEntries(['isolated', 'plain'].map((project) =>
    [`ends in runs: Chromium, ${project}`, { ...suite, project, env: { MILLRACE_KILLS: '500' }, seeds: [101, 102] }])),
}
/** Test file, part of the tests' names, what their counts are set to; `project`: of vitest.config.ts, default Node's. */
const RUNS = {
  'ends between tiny tasks': { file: 'test/workers/kill.test.ts', env: { MILLRACE_KILLS: kills, MILLRACE_SEED: seed } },
  ...ENDS_IN_RUNS,
  'allocator operations': { file: 'test/memory/free-lists.test.ts', only: 'random operations', counts: { operations: 1_000_000 }, seed: 1 },
  'jobs with faults': {
    file: 'test/engine/job-faults.node.test.ts', env: { MILLRACE_FAULT_JOBS: '1000' },
    seeds: Array.from({ length: 10 }, (_, n) => 201 + n),
  },
  'fuzzed frames': { file: 'test/workers/codec/codec.test.ts', only: 'damaged frames', env: { MILLRACE_FUZZ_FRAMES: '100000' } },
  'fuzzed ring words': { file: 'test/memory/byte-ring.test.ts', only: 'random words', env: { MILLRACE_FUZZ_RINGS: '100000' } },
  'ring samples': { file: 'test/memory/ring-threads.test.ts', only: 'samples in order', env: { MILLRACE_RING_SAMPLES: '100000000' } },
  'hand-overs': { file: 'test/memory/ring-threads.test.ts', only: 'hand-overs', env: { MILLRACE_RING_HANDOVERS: '1000000' } },
  'tasks on threads': {
    file: 'test/kernels/threads.node.test.ts', only: 'tasks in random graphs',
    env: { MILLRACE_TASKS: '1000000', MILLRACE_TASK_THREADS: '8' },
  },
  sleeps: { file: 'test/kernels/threads.node.test.ts', only: 'slept through', env: { MILLRACE_SLEEPS: '1000000' } },
  'process calls': { file: 'test/kernels/rust-and-assembly.test.ts', only: 'process calls', counts: { calls: 1_000_000, allocations: 0 } },
  'node hashes': { file: 'test/graph/hash-keys.node.test.ts', env: { MILLRACE_HASH_NODES: '10000000' } },
  'pipeline files': { file: 'test/examples/pipelines.node.test.ts', only: '8 realistic media', env: { MILLRACE_PIPELINE_FILES: '100' } },
  'graphs against the oracle': {
    file: 'test/graph/validate/oracle.node.test.ts', only: 'random graphs', env: { MILLRACE_ORACLE_GRAPHS: '10000' },
  },
  'negotiated graphs': {
    file: 'test/graph/negotiate/brute-force.test.ts', only: 'all graphs', env: { MILLRACE_NEGOTIATE_NODES: '6' },
    counts: { graphs: 4_075_250 },
  },
  'thread starts': { file: 'test/kernels/threads.node.test.ts', only: '256 starts', counts: { starts: 256 } },
}

const names = process.argv.slice(2), unknown = names.find((name) => !(name in RUNS))
if (unknown !== undefined) fail('long runs', `no run '${unknown}'; there are: ${Object.keys(RUNS).join('; ')}.`)
ensureDependencies()
run('wasm', process.execPath, ['scripts/build-wasm.mjs'], { quiet: true, fix: 'Run `npm run build:wasm` to see more.' })
const file = join(root, 'bench/results/long-runs.json')
let failed = 0
for (const name of names.length > 0 ? names : Object.keys(RUNS)) {
  const { file: test, project = 'node', only, env: full = {}, counts, seed: own, seeds } = RUNS[name]
  const env = Object.fromEntries(Object.entries(full).map(([key, value]) => [key, process.env[key] ?? value]))
  const parts = seeds === undefined ? [undefined]
    : process.env['MILLRACE_SEED'] === undefined ? seeds
    : [Number(process.env['MILLRACE_SEED'])]
  const done = []
  for (const part of parts) {
    const said = runPart(test, project, only, { ...env, ...(part !== undefined && { MILLRACE_SEED: String(part) }) })
    if (said.passed === 0) failed++
    done.push({ ...(part !== undefined && { seed: part }), ...said })
    const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
    const passed = done.reduce((sum, one) => sum + one.passed, 0)
    const bad = done.filter((one) => one.passed === 0).length
    const ends =
      done.map(({ said: lines }) => lines.map((line) => Number(/^(\d+) ends/.exec(line)?.[1] ?? 0))).flat().reduce((sum, n) => sum + n, 0)
    results[name] = {
      test, ...(project !== 'node' && { project }), ...(only && { only }), settings: env, ...(counts && { counts }),
      ...(own !== undefined && { seed: own }), outcome: bad > 0 ? `${bad} failed` : `${passed} passed`, ...(ends > 0 && { ends }),
      seconds: done.reduce((sum, { seconds }) => sum + seconds, 0),
      ...(seeds === undefined ? { said: said.said, load: said.load } : { parts: done.map(({ passed: _, ...one }) => one) }),
      date: new Date().toISOString().slice(0, 10),
      machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
    }
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
    say(name, `${part === undefined ? '' : `seed ${part}: `}${said.passed > 0 ? `${said.passed} passed` : 'failed'}, ${said.seconds} s ${said.said.join('; ')}`)
  }
}

/**
 * Runs one test file, or the tests of it whose names have `only`. `load`: of the machine, over its last minute at the start and the end.
 */
function runPart(test, project, only, env) {
  const from = performance.now(), load = [loadavg()[0]], filter = only === undefined ? [] : ['-t', only]
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    'node_modules/vitest/vitest.mjs', 'run', '--project', project, '--retry', '0', '--testTimeout', '7200000', test, ...filter,
  ], {
    cwd: root, env: { ...process.env, ...env, NO_COLOR: '1' }, encoding: 'utf8', maxBuffer: 1 << 28 })
  // Vitest says how many passed: a name that matches no test is not a success.
  const passed = status === 0 ? Number(/Tests\s+(?:.*\| )?(\d+) passed/.exec(stdout)?.[1] ?? 0) : 0
  if (passed === 0) process.stderr.write(`${stdout}\n${stderr}`)
  load.push(loadavg()[0])
  return {
    passed, seconds: Math.round((performance.now() - from) / 1_000),
    said: stdout.split('\n').filter((line) => /^\d+ (ends|jobs)/.test(line)).map((line) => line.trim()),
    load: load.map((n) => Math.round(n * 10) / 10),
  }
}
process.exit(failed > 0 ? 1 : 0)
