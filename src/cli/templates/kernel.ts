/** Words of JavaScript that are no names of a constant in a module. */
export const WORDS: ReadonlySet<string> = new Set([
  'arguments', 'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum',
  'eval', 'export', 'extends', 'false', 'finally', 'for', 'function', 'if', 'implements', 'import', 'in', 'instanceof', 'interface', 'let',
  'new', 'null', 'package', 'private', 'protected', 'public', 'return', 'static', 'super', 'switch', 'this', 'throw', 'true', 'try',
  'typeof', 'undefined', 'var', 'void', 'while', 'with', 'yield',
])
/** Names that the files below bind or read, and those of `use.mjs` and of the packages that they depend on. */
export const TEMPLATE_NAMES: ReadonlySet<string> = new Set([
  'audio', 'defineNode', 'assert', 'readFileSync', 'test', 'conformance', 'bytes', 'findings', 'createEngine', 'audioBuffer', 'tone',
  'engine', 'outputs', 'metrics', 'peak', 'console', 'use', 'millrace', 'assemblyscript',
])

/** Name of the kernel's export and of its node's: `two-words` → `twoWords`. */
export function kernelId(name: string): string { return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()) }

/**
 * The files of `millrace new kernel NAME`: a kernel in AssemblyScript, its node with the reference in plain JavaScript (so that a clean
 * folder needs no compiler but `asc`), a test that runs the conformance suite, and a graph that uses it. The filter is the first difference
 * of speech processing (pre-emphasis): the shortest one with a state.
 */
export function kernelTemplate(
  name: string,
  versions: { readonly millrace: string; readonly assemblyscript: string },
): Readonly<Record<string, string>> {
  const id = kernelId(name)
  return {
    'package.json': `${JSON.stringify({
      name, version: '0.1.0', private: true, type: 'module',
      scripts: {
        build: `asc kernel/${name}.ts --config asconfig.json --target release --outFile ${name}.wasm`,
        test: 'npm run --silent build && node --test', start: 'npm run --silent build && node use.mjs',
      },
      dependencies: { millrace: versions.millrace }, devDependencies: { assemblyscript: versions.assemblyscript },
    }, null, 2)}\n`,
    'asconfig.json': `${JSON.stringify({
      options: {
        importMemory: true, noExportMemory: true, sharedMemory: true, maximumMemory: 65_536, memoryBase: 0x90000, runtime: 'stub',
        enable: ['simd', 'threads'], optimizeLevel: 3, shrinkLevel: 0,
        use: ['abort='],
      },
      targets: { release: { noAssert: true }, debug: { debug: true } },
    }, null, 2)}\n`,
    [`kernel/${name}.ts`]:
      `// Kernel ${id}: y[n] = x[n] - amount * x[n - 1] per channel, in f64, rounded once. Twin of the reference in ../${name}.mjs.
import {
  STATUS_BAD_STATE, STATUS_NO_ROOM, STATUS_OK, begin, checkRange, checkSame, connected, foreign, hasRoom, initInput, input, io_frames, open, output, own, param,
  portChannels, produced, sized,
} from 'millrace/assembly/sdk'
export { millrace_abi, millrace_layout } from 'millrace/assembly/sdk'

/** Version of the state: a snapshot of another one is refused. */
const VERSION: u32 = 1
/** The state, from its own bytes on: amount f64, channels u32, then the last input of each channel f64. */
const AMOUNT: usize = 0, CHANNELS: usize = 8, LAST: usize = 16

function check(init: usize): i32 { return checkSame(init, 1) || checkRange(init, 0, 0, 1) }

export function ${id}_size(init: usize): i32 { return check(init) || sized(init, 16 + 8 * portChannels(initInput(init, 0))) }
export function ${id}_init(state: usize, init: usize): i32 {
  const bad = check(init)
  if (bad != STATUS_OK) return bad
  const at = open(state, VERSION)
  store<f64>(at, param(init, 0), AMOUNT)
  store<u32>(at, portChannels(initInput(init, 0)), CHANNELS)
  return STATUS_OK
}
export function ${id}_reset(state: usize): i32 {
  const at = own(state)
  memory.fill(at + LAST, 0, 8 * load<u32>(at, CHANNELS))
  return STATUS_OK
}
export function ${id}_process(state: usize, io: usize): i32 {
  if (foreign(state, VERSION)) return STATUS_BAD_STATE
  const frames = io_frames(io)
  if (!hasRoom(io, 0, frames)) return STATUS_NO_ROOM
  const at = begin(state), amount = load<f64>(at, AMOUNT), writes = connected(io, 0)
  for (let c: u32 = 0; c < load<u32>(at, CHANNELS); c++) {
    const x = input(io, 0, c), y = output(io, 0, c), slot = at + LAST + (<usize>c << 3)
    let last = load<f64>(slot)
    for (let n: usize = 0; n < <usize>frames << 2; n += 4) {
      const now = <f64>load<f32>(x + n)
      if (writes) store<f32>(y + n, <f32>(now - amount * last))
      last = now
    }
    store<f64>(slot, last)
  }
  return produced(io, 0, frames)
}
`,
    [`${name}.mjs`]: `// Node mine::${name}: its ports, params and reference. The reference is the specification: plain loops, the same order of operations as the kernel.
import { audio, defineNode } from 'millrace'

/** Nothing was changed; the same call may be made again with more room. */
const NO_ROOM = -3

export const ${id} = defineNode({
  type: 'mine::${name}', version: '1.0.0', title: '${title(name)}', doc: 'First difference: lifts high frequencies.', family: 'filter',
  params: { amount: { type: 'number', min: 0, max: 1, default: 0.97, rate: 'init', doc: 'How much of the frame before is taken away.' } },
  inputs: { in: { media: audio({ format: 'f32', layout: 'planar' }) } },
  outputs: { out: { media: audio({ like: 'in' }), frames: 'same' } },
  latencyFrames: 0, tailFrames: 0,
  kernel: { module: '${name}', export: '${id}' },
  reference: {
    init: ({ params, inputs }) => ({ amount: params.amount, last: new Float64Array(inputs[0].channels) }),
    process(state, { frames, inputs, outputs }) {
      if (outputs[0].connected && outputs[0].frames < frames) return NO_ROOM
      inputs[0].channels.forEach((x, c) => {
        for (let n = 0; n < frames; n++) {
          if (outputs[0].connected) outputs[0].channels[c][n] = x[n] - state.amount * state.last[c]
          state.last[c] = x[n]
        }
      })
      return frames
    },
    reset: (state) => { state.last.fill(0) },
  },
})
`,
    [`${name}.test.mjs`]: `import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { conformance } from 'millrace/testing'
import { ${id} } from './${name}.mjs'

const bytes = readFileSync(new URL('${name}.wasm', import.meta.url))

test('${name} passes the conformance suite in every tier', async () => {
  const findings = await conformance(${id}, { kernels: { '${name}': bytes } })
  assert.ok(findings.length > 0)
  assert.deepEqual(findings.filter((finding) => !finding.ok), [])
})
`,
    'use.mjs': `// A graph with the new node: 0.1 s of a 1 kHz tone through it.
import { readFileSync } from 'node:fs'
import { createEngine } from 'millrace'
import { audioBuffer } from 'millrace/nodes'
import { ${id} } from './${name}.mjs'

const tone = Float32Array.from({ length: 4_800 }, (_, n) => Math.sin((2 * Math.PI * 1_000 * n) / 48_000))
// The kernel shares the engine's memory: load only code that you trust.
const engine = await createEngine({ kernels: { '${name}': readFileSync(new URL('${name}.wasm', import.meta.url)) } })
const { outputs, metrics } = await engine.run({ out: ${id}(audioBuffer([tone])) })
const peak = outputs.out.data.channel(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
console.log(\`\${metrics.nodes.find(({ type }) => type === 'mine::${name}').tier}: peak \${peak.toFixed(4)}\`)
await engine.close()
`,
  }
}

function title(name: string): string { return name.slice(0, 1).toUpperCase() + name.slice(1).replaceAll('-', ' ') }
