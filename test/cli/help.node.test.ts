import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/cli.js'
import { call } from './support.js'

test('help of the tool lists every command', async () => {
  const { code, out } = await call(['--help'])
  expect(code).toBe(0)
  expect(out).toMatchInlineSnapshot(`
    "millrace 1.2.3: sound through typed graphs, on WebAssembly.

    Usage: millrace COMMAND [options]

    Commands:
      run          run a graph document
      inspect      show the plan of a graph: media, converters, segments, memory
      validate     check a graph document: every problem, with its place
      convert      write a graph document in another dialect, and say what is lost
      diff         show what differs between two graph documents, node by node
      graph        draw a graph document as Graphviz DOT or Mermaid
      nodes        list node types, or describe one
      doctor       show what this host offers: tiers, memory, SIMD, and why not
      new          write the start of a kernel of your own
      test-kernel  run the conformance suite on a kernel module

    Every command takes --json and --help. Exit codes: 0 ok, 1 failed, 2 usage, 3 diagnostics with errors, 130 interrupted.
    "
  `)
})

test.each(COMMANDS.map((command) => [command.name, command] as const))('%s --help names every option and gives examples', async (
  name, command,
) => {
  const { code, out, err } = await call([name, '--help'])
  expect([code, err]).toEqual([0, ''])
  for (const option of [...Object.keys(command.options), 'json', 'help']) expect(out).toContain(`--${option}`)
  for (const example of command.examples) expect(out).toContain(example)
  for (const line of out.split('\n')) { expect(line.length).toBeLessThanOrEqual(120); expect(line).toBe(line.trimEnd()) }
})

test('help COMMAND is COMMAND --help', async () => {
  expect(await call(['help', 'diff'])).toEqual(await call(['diff', '--help']))
  expect(await call(['help', 'dif'])).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean diff?') as string })
  expect((await call(['help', '--json'])).out).toBe((await call(['help'])).out)
})

test('version', async () => {
  for (const word of ['--version', '-v']) expect(await call([word])).toEqual({ code: 0, out: '1.2.3\n', err: '' })
})

test.each([
  [[], 2, /Usage: millrace COMMAND/, ''],
  [['rnu'], 2, /^$/, 'millrace: expected a command, got rnu. Did you mean run?\n'],
  [['paint'], 2, /^$/, `millrace: expected a command, got paint. Commands: ${COMMANDS.map(({ name }) => name).join(', ')}.\n`],
  [['run'], 2, /^$/,
    'millrace run: expected one graph document, got 0.\nUsage: millrace run GRAPH.json [--input NAME=VALUE]... [--output NAME=FILE]...\n'],
  [['inspect', 'a', 'b'], 2, /^$/,
    'millrace inspect: expected one graph document, got 2.\nUsage: millrace inspect GRAPH.json [--input NAME=VALUE]... | --schema TYPE\n'],
  [['nodes', '--loud'], 2, /^$/, "millrace nodes: Unknown option '--loud'.\nUsage: millrace nodes [TYPE]\n"],
  [['nodes', 'audio::resmple'], 2, /^$/,
    'millrace nodes: audio::resmple: no such node type. Did you mean audio::resample?\nUsage: millrace nodes [TYPE]\n'],
  [['nodes', 'a', 'b'], 2, /^$/, 'millrace nodes: expected one type, got 2.\nUsage: millrace nodes [TYPE]\n'],
  [['doctor', 'who'], 2, /^$/, 'millrace doctor: expected no words, got who.\nUsage: millrace doctor\n'],
] as const)('millrace %j is a mistake of usage', async (words, code, out, err) => {
  const said = await call(words)
  expect([said.code, said.err]).toEqual([code, err])
  expect(said.out).toMatch(out)
})
