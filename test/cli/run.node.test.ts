import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createEngine } from '../../src/index.js'
import { resample, toPcm16, vad, wavFile, wavWriter } from '../../src/nodes/index.js'
import { call, folder, GAIN, SPEECH, steady, TALK } from './support.js'

const files = folder()

test('run prints plan, outputs and metrics; progress goes to stderr in plain lines', async () => {
  const { code, out, err } = await call(['run', SPEECH, '--input', `file=${TALK}`, '--workers', '0'])
  expect(code).toBe(0)
  const [plan, segments, pcm, metrics] = steady(out).split('\n\n')
  expect(plan).toMatch(/^plan #/)
  expect(`${segments}\n${pcm}`).toMatchInlineSnapshot(`
    "segments: 3 events
      segment    0.00 s –    0.60 s  rms 0.0624
      segment    1.11 s –    1.59 s  rms 0.1408
      segment    1.77 s –    2.25 s  rms 0.1299
    pcm: audio i16 planar 16000 Hz, 1 channel, 36240 frames, 2.265 s"
  `)
  expect(metrics).toMatch(/^node +type +tier +where/)
  for (const node of ['read', 'to16k', 'vad', 'pcm']) expect(metrics).toMatch(new RegExp(`^${node} `, 'm'))
  expect(metrics).toMatch(/total # ms, 0 workers, shared memory, arena peak/)
  expect(err).toMatch(/^(progress \d+ %\n)*progress 100 %\n$/)
})

test('--json is one object with outputs, metrics and diagnostics, and nothing on stderr', async () => {
  const { code, out, err } = await call(['run', SPEECH, '-i', `file=${TALK}`, '--json'])
  expect([code, err]).toEqual([0, ''])
  const result = JSON.parse(out) as Record<string, never>
  expect(result).toMatchObject({
    status: 'success',
    outputs: { segments: { data: [{ type: 'segment' }, {}, {}] }, pcm: { frames: 36_240, media: { rate: 16_000, format: 'i16' } } },
    metrics: { status: 'success' },
  })
  expect(result['run_id']).toMatch(/^run-/)
})

test('--quiet keeps the outputs only', async () => {
  const { out, err } = await call(['run', SPEECH, '-i', `file=${TALK}`, '--quiet'])
  expect(out).toMatch(/^\nsegments: 3 events\n/)
  expect(out).not.toMatch(/^plan |^node |^total /m)
  expect(err).toBe('')
})

test.each([
  'wasm-threads', 'wasm', 'js',
] as const)('--output writes audio as the same bytes that the engine writes, and events as JSON (%s)', async (tier) => {
  const wav = join(files.path, tier, 'deep', 'out.wav'), json = join(files.path, `${tier}.json`), own = join(files.path, `${tier}-own.wav`)
  const { code, out } = await call([
    'run', SPEECH, '-i', `file=${TALK}`, '-o', `pcm=${wav}`, '-o', `segments=${json}`, '--tier', tier, '--workers', '0', '-q',
  ])
  expect([code, out]).toEqual([0, `\nsegments: written to ${json}\n\npcm: written to ${wav}\n`])
  await using engine = await createEngine({ tier, workers: 0 })
  const speech = resample(wavFile(TALK), { rate: 16_000, quality: 'high' })
  using result = await engine.run({ segments: vad(speech).segments, file: wavWriter(toPcm16(speech), { path: own, format: 'i16' }) })
  expect(readFileSync(wav).equals(readFileSync(own))).toBe(true)
  expect(JSON.parse(readFileSync(json, 'utf8')))
    .toMatchObject({ media: { kind: 'events' }, data: JSON.parse(JSON.stringify(result.outputs.segments.data)) as object })
})

test('--input of a port: JSON where it takes json, the word where it takes text only', async () => {
  const say = async (media: object | undefined, word: string): Promise<unknown> => {
    const document = {
      millrace: 1, nodes: [{ id: 'n', type: 'text::sink' }], inputs: { k: { to: [['n', 'in']], ...(media && { media }) } },
      outputs: { o: ['n', 'text'] },
    }
    const { code, out } = await call(['run', '-', '-i', `k=${word}`, '--json'], { stdin: JSON.stringify(document) })
    expect(code).toBe(0)
    return (JSON.parse(out) as { outputs: { o: { data: unknown } } }).outputs.o.data
  }
  expect(await say(undefined, '{"a": 1.50}')).toBe('{"a":1.5}')
  expect(await say(undefined, 'word')).toBe('word')
  expect(await say({ kind: 'text' }, '1.50')).toBe('1.50')
})

test('a document from standard input', async () => {
  const { code, out } = await call(['run', '-', '-i', `file=${TALK}`, '-q'], { stdin: readFileSync(SPEECH, 'utf8') })
  expect([code, out]).toEqual([0, expect.stringContaining('segments: 3 events')])
})

describe('mistakes', () => {
  test.each([
    [['-o', 'x=1'], '--output x: the graph has no such output. It has: segments, pcm.'],
    [['-i', 'flie=a.wav'], '--input flie: the graph has no such input. It has: file.'],
    [['-i', 'file'], '--input file: expected NAME=VALUE.'],
    [['-i', 'file=a', '-i', 'file=b'], '--input file is given twice.'],
    [['-o', 'pcm='], '--output pcm=: expected a file name.'],
    [['-o', 'pcm=a.wav', '-o', 'segments=./a.wav'], '--output segments=./a.wav: pcm is written there already.'],
    [['--tier', 'gpu'], '--tier gpu: expected auto, wasm-threads, wasm or js.'],
    [['--workers', 'many'], '--workers many: expected auto or 0…256.'],
    [['--input'], "Option '-i, --input <value>' argument missing."],
  ])('run %j is a mistake of usage', async (words, message) => {
    const { code, out, err } = await call(['run', SPEECH, ...words])
    expect([code, out, err.split('\n')[0]]).toEqual([2, '', `millrace run: ${message}`])
  })

  test('a document with many faults gives all of them, and exit code 3', async () => {
    const bad = files.file('bad.json', {
      millrace: 1,
      nodes: [{ id: 'a', type: 'no::such' }, { id: 'a', type: 'audio::gain' }, { id: 'b', type: 'audio::gain', params: { gainDB: 3 } }],
      edges: [{ from: ['a', 'out'], to: ['q', 'in'] }], outputs: { x: ['b', 'out'] }, colour: 1,
    })
    const { code, out, err } = await call(['run', bad])
    expect([code, out]).toEqual([3, ''])
    for (const fault of ['DUPLICATE_ID', 'NODE_NOT_FOUND', 'NODE_TYPE_UNKNOWN', 'PARAM_UNKNOWN']) expect(err).toContain(`error ${fault}`)
    const json = JSON.parse((await call(['run', bad, '--json'])).out) as { diagnostics: { code: string; pointer?: string }[] }
    expect(json.diagnostics.filter(({ code: c }) => c === 'DUPLICATE_ID')).toHaveLength(1)
    expect(json.diagnostics.length).toBeGreaterThanOrEqual(4)
  })

  test('text that is no JSON names line and column', async () => {
    const { code, err } = await call(['inspect', files.file('cut.json', '{"millrace": 1,\n "nodes": [')])
    expect([code, err])
      .toEqual([3, 'error JSON_SYNTAX: Document: expected a value or ], got end of text at line 2, column 12.\n  Fix the JSON there.\n'])
  })

  test('a missing document, a folder, a missing file and a file that is no WAV fail with their code, and exit code 1', async () => {
    expect(await call(['run', 'missing.json'])).toEqual({
      code: 1, out: '',
      err: 'NOT_FOUND: File missing.json: it does not exist (ENOENT).\n  Check the path: a relative one starts at the working directory.\n',
    })
    expect(await call(['run', files.path])).toMatchObject({ code: 1, err: expect.stringContaining('it is a folder') })
    const lost = await call(['run', SPEECH, '-i', `file=${files.path}/none.wav`, '--json'])
    expect([lost.code, JSON.parse(lost.out)]).toMatchObject([1, { error: { code: 'NOT_FOUND', node: 'read' } }])
    const text = await call(['run', SPEECH, '-i', `file=${SPEECH}`, '-q'])
    expect([text.code, text.err]).toEqual([1, expect.stringMatching(/^FILE_INVALID \(node read\): /)])
  })

  test('an output that cannot be written fails with exit code 1', async () => {
    const { code, err } = await call(['run', SPEECH, '-i', `file=${TALK}`, '-o', `segments=${files.path}`, '-q'])
    expect([code, err]).toEqual([1, `NOT_FOUND: File ${files.path}: it is a folder (EISDIR).\n`])
    const json = await call(['run', SPEECH, '-i', `file=${TALK}`, '-o', `segments=${files.path}`, '--json'])
    expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { error: { code: 'NOT_FOUND', details: { id: files.path } } }])
    const convert = await call(['convert', SPEECH, '--to', 'millrace', '-o', files.path, '--json'])
    expect([convert.code, JSON.parse(convert.out)]).toMatchObject([1, { error: { code: 'NOT_FOUND' } }])
  })

  test.each([
    [['run', '--json'], { message: 'expected one graph document, got 0.', usage: expect.stringMatching(/^millrace run GRAPH/) as string }],
    [['inspect', '--json', '--colour'],
      { message: "Unknown option '--colour'.", usage: expect.stringMatching(/^millrace inspect /) as string }],
    [['rnu', '--json'], { message: 'expected a command, got rnu. Did you mean run?' }],
  ])('%j tells the mistake of usage as JSON', async (words, error) => {
    const { code, out, err } = await call(words)
    expect([code, JSON.parse(out), err]).toEqual([2, { error }, ''])
  })

  test('an unknown param is offered once, not by both of its spellings', async () => {
    const { code, err } = await call([
      'run',
      files.file('spelt.json', {
        ...GAIN,
        nodes: [GAIN.nodes[0], { id: 'gain', type: 'audio::gain', params: { gainDB: 3, gain_dbb: 1 } }],
      }),
      '-i', `file=${TALK}`,
    ])
    expect([code, err.match(/Did you mean .*/g)]).toEqual([3, ['Did you mean gainDb?', 'Did you mean gain_db?']])
  })

  test('warnings of the document are shown, and the run goes on', async () => {
    const { code, err } = await call(['run', files.file('warn.json', { ...GAIN, colour: 1 }), '-i', `file=${TALK}`, '-q'])
    expect([code, err]).toEqual([0, expect.stringContaining('warning UNKNOWN_FIELD')])
  })
})

test.each([
  'same path', 'other spelling', 'link', 'events', 'document',
])('an output that is a file of the call is a mistake of usage, and the file stays (%s)', async (how) => {
  const at = join(files.path, 'same', how), talk = join(at, 'talk.wav'), document = join(at, 'speech.json')
  mkdirSync(at, { recursive: true })
  copyFileSync(TALK, talk)
  copyFileSync(SPEECH, document)
  if (how === 'link') symlinkSync(talk, join(at, 'link.wav'))
  const output = {
    'same path': `pcm=${talk}`, 'other spelling': `pcm=${at}/../${how}/talk.wav`, link: `pcm=${at}/link.wav`, events: `segments=${talk}`,
    document: `segments=${document}`,
  }[how]!
  const { code, out, err } = await call(['run', document, '-i', `file=${talk}`, '-o', output, '-q'])
  expect([code, out, err.split('\n')[0]])
    .toEqual([2, '', `millrace run: --output ${output}: that is ${how === 'document' ? 'the graph document' : 'the file of input file'}.`])
  expect(readFileSync(talk).equals(readFileSync(TALK))).toBe(true)
  expect(readFileSync(document).equals(readFileSync(SPEECH))).toBe(true)
})

test('a file that a node of the document names is not written over', async () => {
  const talk = join(files.path, 'named.wav')
  copyFileSync(TALK, talk)
  const document =
    files.file('named.json', { ...GAIN, inputs: {}, nodes: [{ id: 'read', type: 'io::wav-file', params: { path: talk } }, GAIN.nodes[1]] })
  const { code, err } = await call(['run', document, '-o', `out=${talk}`, '-q'])
  expect([code, err.split('\n')[0]]).toEqual([2, `millrace run: --output out=${talk}: that is the file that node read reads.`])
})

test('an interrupted run keeps the older output and leaves no part of the new one', async () => {
  const at = join(files.path, 'older'), cut = join(at, 'cut.wav'), stop = new AbortController()
  mkdirSync(at)
  writeFileSync(cut, 'older')
  const { code } = await call(['run', SPEECH, '-i', `file=${TALK}`, '-o', `pcm=${cut}`], {
    signal: stop.signal, interactive: true, onErr: (text) => { if (text.startsWith('\r')) stop.abort(new Error('interrupted')) },
  })
  expect([code, readFileSync(cut, 'utf8'), readdirSync(at)]).toEqual([130, 'older', ['cut.wav']])
})

test('Ctrl-C in mid-run gives 130, a line of its own, and no output', async () => {
  const stop = new AbortController()
  const { code, out, err } = await call(['run', SPEECH, '-i', `file=${TALK}`, '-o', `pcm=${join(files.path, 'cut.wav')}`], {
    signal: stop.signal, interactive: true, onErr: (text) => { if (text.startsWith('\r')) stop.abort(new Error('interrupted')) },
  })
  expect([code, err.split('\n').at(-2)]).toEqual([130, 'millrace: interrupted.'])
  expect(out).not.toContain('pcm: written')
  expect(existsSync(join(files.path, 'cut.wav'))).toBe(false)
})

test('on a terminal one line is redrawn, no wider than the terminal', async () => {
  const { err } = await call(['run', SPEECH, '-i', `file=${TALK}`], { interactive: true, columns: 40 })
  const drawn = err.trimEnd().split('\r').slice(1)
  expect(drawn.length).toBeGreaterThan(0)
  for (const line of drawn) expect(line.length).toBeLessThan(40)
  expect(drawn.at(-1)).toMatch(/^█+ 100 %/)
  expect(err.split('\n')).toHaveLength(2)
})

test('an output of a subgraph goes into a WAV file like any other', async () => {
  const graph = files.file('sub.json', {
    millrace: 1, inputs: { file: { to: [['read', 'path']] } },
    nodes: [{ id: 'read', type: 'io::wav-file' }, { id: 'sub', type: 'graph::quiet', params: { db: -20 } }],
    edges: [{ from: ['read', 'out'], to: ['sub', 'in'] }], outputs: { out: ['sub', 'out'] },
    definitions: {
      quiet: {
        millrace: 1,
        inputs: { in: { to: [['g', 'in']] }, db: { to: [['g', 'gainDb']] } },
        nodes: [{ id: 'g', type: 'audio::gain' }], outputs: { out: ['g', 'out'] },
      },
    },
  })
  const out = `${files.path}/out.wav`
  expect(await call(['run', graph, '-i', `file=${TALK}`, '-o', `out=${out}`, '--quiet'])).toMatchObject({ code: 0, err: '' })
  expect(readFileSync(out).subarray(0, 4).toString()).toBe('RIFF')
})

test('texts and JSON are printed; of long ones the start, and how much more there is', async () => {
  const document = (items: readonly string[]): object => ({
    millrace: 1,
    nodes: [
      { id: 'list', type: 'core::list-source', params: { items } },
      { id: 'text', type: 'text::sink' }, { id: 'sink', type: 'core::list-sink' },
    ],
    edges: [{ from: ['list', 'out'], to: ['text', 'in'] }, { from: ['list', 'out'], to: ['sink', 'in'] }],
    outputs: { text: ['text', 'text'], items: ['sink', 'items'] },
  })
  const short = await call(['run', files.file('short.json', document(['one', 'two'])), '-q'])
  expect(short).toEqual({ code: 0, err: '', out: '\ntext: text: lines 2\n  one\n  two\n\nitems: json\n  ["one","two"]\n' })
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`)
  const { out } = await call(['run', files.file('long.json', document(lines)), '-q'])
  expect(out).toMatch(/\n {2}line 19\n {2}… 80 more characters; --output or --json gives all\n/)
  expect(out).not.toContain('line 20')
  expect(out).toMatch(/^ {2}\[\n {4}"line 0",(\n.*){18}\n {2}… \d+ more characters/m)
  const wide = await call(['run', files.file('wide.json', document(['x'.repeat(3_000)])), '-q'])
  expect(wide.out).toContain(`\n  ${'x'.repeat(2_000)}\n  … 1000 more characters`)
})

test('run and inspect read other dialects, as validate and convert do', async () => {
  const manifest = files.file('manifest.json', {
    version: '1.0.0',
    nodes: [{ id: 'read', type: 'io::wav-file', params: { path: TALK } }, { id: 'gain', type: 'audio::gain', params: { gain_db: -3 } }],
    edges: [{ from: 'read', to: 'gain' }],
  })
  const shown = await call(['inspect', manifest]), ran = await call(['run', manifest, '-q'])
  expect([shown.code, shown.out, ran.code]).toEqual([0, expect.stringContaining('gain'), 0])
  const none = await call(['run', files.file('none.json', { nodes: [] })])
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/^IMPORT_UNSUPPORTED: Import: none of millrace, .* fits/)])
})
