/**
 * Documents with what parsing must say of each (stages 1 to 3 of spec graph.md section 5): code, place,
 * expected and got where they are part of the fact.
 */
export interface CorpusEntry {
  readonly name: string
  readonly text: string | Uint8Array
  /** Empty = valid. */
  readonly diagnostics: readonly Readonly<Record<string, unknown>>[]
}

type Fields = Readonly<Record<string, unknown>>
const node = (fields: Fields = {}): Fields => ({ id: 'a', type: 'test::source', ...fields })
const doc = (fields: Fields = {}): string => JSON.stringify({ millrace: 1, nodes: [node()], ...fields })
const withNode = (fields: Fields): string => doc({ nodes: [node(fields)] })
const withEdge = (fields: Fields): string => doc({ edges: [{ from: ['a', 'out'], to: ['b', 'in'], ...fields }] })
const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)]))

const valid = (name: string, text: string | Uint8Array): CorpusEntry => ({ name, text, diagnostics: [] })
const syntax = (name: string, text: string | Uint8Array, line: number, column: number, expected: string, got: string): CorpusEntry =>
  ({ name, text, diagnostics: [{ code: 'JSON_SYNTAX', stage: 1, line, column, expected, got }] })
const version = (name: string, text: string, pointer = '/millrace'): CorpusEntry => ({
  name, text, diagnostics: [{ code: 'VERSION_MISMATCH', stage: 2, pointer }],
})
const schema = (name: string, text: string, ...pointers: readonly string[]): CorpusEntry =>
  ({ name, text, diagnostics: pointers.map((pointer) => ({ code: 'SCHEMA_INVALID', stage: 3, severity: 'error', pointer })) })
const unknown = (name: string, text: string, ...pointers: readonly string[]): CorpusEntry =>
  ({ name, text, diagnostics: pointers.map((pointer) => ({ code: 'UNKNOWN_FIELD', stage: 3, severity: 'warning', pointer })) })

/** Field by field: values that it takes, values that it refuses (the misfit is at the field itself). */
const BOUNDARIES: readonly (readonly [pointer: string, taken: readonly unknown[], refused: readonly unknown[]])[] = [
  ['/id', ['x', 'x'.repeat(64)], ['', 'x'.repeat(65), 7, null, '\u0085']],
  ['/revision', [1, Number.MAX_SAFE_INTEGER], [1.5, '1', null, 2 ** 53]],
  ['/meta/name', ['x', '\u{1f600}'.repeat(255)], ['', 'x'.repeat(256), false]],
  ['/meta/description', ['', 'x'.repeat(10_000)], ['x'.repeat(10_001), []]],
  ['/meta/priority', [-100, 100], [-101, 0.5, '0']],
  ['/meta/tags', [[], Array(32).fill('t')], ['t', null]],
  ['/meta/modified', ['2026-12-31T23:59:59.999Z'], ['2026-12-31', 'now', 0, '2026-12-31T23:59:59.999+00:00']],
  ['/engines/millrace', ['*', '^0.1.0'], ['']],
  ['/packs', [[], [{ name: 'p', version: '1' }]], [{}, 'p']],
  ['/inputs', [{}, { f: { to: [['a', 'path']], required: false } }], [[], 'f']],
  ['/outputs', [{}, { 'a.b/c~': ['a', 'out'] }], ['a', null]],
  ['/nodes/0/type', [`a::${'b'.repeat(61)}`, 'A.b-c_9::D.e-f_0'], [`a::${'b'.repeat(62)}`, '::b', 'a::', 'a:b', 'a::b::c', '9a', '']],
  ['/nodes/0/version', ['^1.0.0', 'x'.repeat(255)], ['', 1, 'x'.repeat(256)]],
  ['/nodes/0/params', [{}, { any: { deep: [null] } }], ['x', 1, null]],
  ['/nodes/0/tier', ['wasm', 'python', ['js'], ['wasm-threads', 'wasm', 'js']], ['', 1, ['js', 'js', 'js', 'js'], {}]],
  ['/nodes/0/place', ['local', 'remote', 'main'], ['here', true]],
  ['/nodes/0/mode', ['run', 'bypass'], [true, 'RUN', null]],
  ['/nodes/0/output', [true, false], [1, null]],
  ['/nodes/0/requires/cores', [1], [0, '4']],
  ['/nodes/0/requires/simd', [true, false, 'preferred'], ['yes', 1]],
  ['/nodes/0/requires/arch', ['any', 'x86_64'], ['x64', null]],
  ['/nodes/0/policy/timeoutMs', [0, 0.5], [-1, '5', null]],
  ['/nodes/0/policy/exclusive', [true, ['a', 'b']], ['a', 1]],
  ['/nodes/0/policy/priority', ['high', 'normal'], [5, 'urgent']],
  ['/nodes/0/media', [{}, { in: { kind: 'audio', rate: 16_000 } }], ['audio', ['audio'], null]],
  ['/nodes/0/media/in', [{ kind: 'any' }, { kind: 'oneOf', options: [{ kind: 'audio' }, { kind: 'text' }] }], ['audio', null]],
  ['/edges/0/from', [['a', 'x'.repeat(64)]], [['a', ''], ['a', 'x'.repeat(65)], ['a', 1], 'a.out', null, []]],
  ['/edges/0/order', [0, -5], [0.5, '1']],
  ['/edges/0/whenFull', ['latest', 'error'], ['drop', null]],
  ['/edges/0/capacity', [1], [1.5, '8']],
  ['/edges/0/delayFrames', [128, 1_000_000], [128.5, 0]],
  ['/config/metrics', [true, false], ['on', 1]],
  ['/config/onError', ['continue'], ['retry', null]],
  ['/config/cache', ['on', 'off'], [true, 'refresh']],
  ['/config/timeoutMs', [0], [-0.5, '1']],
  ['/config/seed', [0, '0', Number.MAX_SAFE_INTEGER], [1.5, 'x', '123456789012345678901', null]],
]

/** The smallest document with one field set. */
function withField(pointer: string, value: unknown): string {
  const root: Record<string, unknown> = { millrace: 1, nodes: [{ ...node() }] }
  if (pointer.startsWith('/edges')) root['edges'] = [{ from: ['a', 'out'], to: ['a', 'in'] }]
  const keys = pointer.slice(1).split('/')
  let at = root
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>
  at[keys.at(-1)!] = value
  return JSON.stringify(root)
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 37)}… (${text.length})` : text
}

/** All entries. */
export const CORPUS: readonly CorpusEntry[] = [
  ...BOUNDARIES.flatMap(([pointer, taken, refused]) => [
    ...taken.map((value) => valid(`${pointer} takes ${short(value)}`, withField(pointer, value))),
    ...refused.map((value) => schema(`${pointer} refuses ${short(value)}`, withField(pointer, value), pointer)),
  ]),
  valid('smallest', doc()),
  valid('no node: a matter of stage 4', doc({ nodes: [] })),
  valid('version "1"', doc({ millrace: '1' })),
  valid('version "1.0"', doc({ millrace: '1.0' })),
  valid('version "1.2.3"', doc({ millrace: '1.2.3' })),
  valid('the example of the specification', doc({
    id: '2f6c', revision: 4, meta: { name: 'Speech segments' }, inputs: { file: { to: [['read', 'path']], default: 'talk.wav' } },
    nodes: [
      { id: 'read', type: 'io::wav-file' },
      { id: 'to16k', type: 'audio::resample', version: '^1.0.0', params: { rate: 16_000, quality: 'high' } },
      { id: 'vad', type: 'voice::vad', policy: { timeoutMs: 5_000 } },
    ],
    edges: [{ from: ['read', 'out'], to: ['to16k', 'in'] }, { from: ['to16k', 'out'], to: ['vad', 'in'] }],
    outputs: { segments: ['vad', 'segments'] }, config: { negotiate: 'auto' },
  })),
  valid('every meta field', doc({
    meta: {
      name: 'n', description: 'd', author: 'a', tags: ['x'], license: 'MIT', priority: -100, created: '2026-01-02T03:04:05.678Z',
      modified: '2026-01-02T03:04:05.678Z',
    },
  })),
  valid('engines met', doc({ engines: { millrace: '>=0.1.0' } })),
  valid('packs', doc({ packs: [{ name: 'p', version: '1.0.0', integrity: 'sha256-x' }, { name: 'q', version: '2' }] })),
  valid('every node field', withNode({ version: '1.x', params: { p: 1 }, tier: ['wasm-threads', 'js'], place: 'prefer-local', mode: 'mute',
    output: true, ui: { x: 1 }, matrix: { a: [1] }, produces: [], consumes: [],
    requires: { simd: true, threads: 'preferred', cores: 4, arch: 'arm', gpu: { type: 'any', minMemoryBytes: 1 }, tags: ['os:linux'] },
    policy: {
      timeoutMs: 0,
      retry: { kind: 'exponential', retries: 3, baseMs: 100, factor: 2, maxMs: 30_000, jitter: 'full' },
      breaker: { key: 'k', failures: 5 }, limiters: ['cpu'], exclusive: ['a'], priority: 'low', always: true, skipIf: {}, cache: 'off',
      pin: 'main', hangMs: 1,
    } })),
  valid('media of a run-time input and of ports: values, lists, ranges, open lengths', doc({
    inputs: {
      talk: { to: [['a', 'in']], media: { kind: 'audio', rate: { min: 8_000, max: 48_000 }, channels: [1, 2], format: 'f32' } },
      image: { to: [['a', 'x']], media: { kind: 'tensor', dtype: ['f32'], shape: [1, null, 'time'] } },
    },
    nodes: [node({ media: { in: { kind: 'audio', rate: 16_000 }, out: { kind: 'video', width: { min: 16, step: 16 }, still: true } } })],
  })),
  valid('tier by an older name', withNode({ tier: 'rust' })),
  valid('every edge field', withEdge({ id: 'e', order: -1, whenFull: 'drop-oldest', capacity: 1, delayFrames: 128 })),
  valid('every config field', doc({
    config: {
      metrics: false, onError: 'continue', negotiate: 'strict', retry: { kind: 'none' }, breaker: {}, timeoutMs: 0, cache: 'off',
      seed: '18446744073709551615',
    },
  })),
  valid('x- fields everywhere', doc({
    'x-a': { deep: [1] }, nodes: [node({ 'x-b': null })], edges: [{ from: ['a', 'out'], to: ['a', 'in'], 'x-c': 1 }], meta: { 'x-d': 1 },
    config: { 'x-e': 1 },
  })),
  valid('a nested document', doc({ definitions: { inner: { millrace: 1, nodes: [] } } })),
  valid('ids of any script', doc({ nodes: [node({ id: 'κόμβος 1 / ~ "x"' }), node({ id: '\u{1f600}'.repeat(64) })] })),
  valid('byte order mark', bytes(0xef, 0xbb, 0xbf, doc())),
  valid('byte order mark in text', `\ufeff${doc()}`),
  valid('white space of all kinds', `\t\r\n ${doc()} \n`),
  valid('keys that objects have', doc({ nodes: [node({ params: JSON.parse('{ "__proto__": 1, "constructor": 2 }') as Fields })] })),

  syntax('nothing', '', 1, 1, 'a value', 'end of text'),
  syntax('white space only', ' \n ', 2, 2, 'a value', 'end of text'),
  syntax('a word', 'graph', 1, 1, 'a value', 'g'),
  syntax('no closing brace', '{ "millrace": 1', 1, 16, ', or }', 'end of text'),
  syntax('comma at the end of an object', '{ "a": 1, }', 1, 11, 'a property name', '}'),
  syntax('comma at the end of an array', '{ "a": [1,\n] }', 2, 1, 'a value', ']'),
  syntax('no colon', '{ "a" 1 }', 1, 7, ':', '1'),
  syntax('name without quotes', '{ a: 1 }', 1, 3, 'a property name or }', 'a'),
  syntax('single quotes', "{ 'a': 1 }", 1, 3, 'a property name or }', "'"),
  syntax('comment', '{\r\n  // no\r\n}', 2, 3, 'a property name or }', '/'),
  syntax('two values', '{} {}', 1, 4, 'end of text', '{'),
  syntax('wrong bracket', '{ "a": [1} }', 1, 10, ', or ]', '}'),
  syntax('leading zero', '[01]', 1, 3, 'a number without leading zeros', '1'),
  syntax('point without digits', '[1.]', 1, 4, 'a digit', ']'),
  syntax('exponent without digits', '[1e+]', 1, 5, 'a digit', ']'),
  syntax('minus alone', '[-]', 1, 3, 'a digit', ']'),
  syntax('NaN', '[NaN]', 1, 2, 'a value or ]', 'N'),
  syntax('unknown escape', '["\\x"]', 1, 4, 'an escape character', 'x'),
  syntax('short escape', '["\\u12g4"]', 1, 7, 'a hexadecimal digit', 'g'),
  syntax('line break in a string', '["a\nb"]', 1, 4, 'an escaped control character', 'U+000A'),
  syntax('open string', '["abc', 1, 6, 'the end of the string', 'end of text'),
  syntax('byte that is no UTF-8', bytes('{\n "a": "', 0xff, '" }'), 2, 8, 'UTF-8', 'byte 0xff'),
  syntax('overlong form', bytes('["', 0xc0, 0xaf, '"]'), 1, 3, 'UTF-8', 'byte 0xc0'),
  syntax('surrogate in UTF-8', bytes('["', 0xed, 0xa0, 0x80, '"]'), 1, 3, 'UTF-8', 'byte 0xed'),
  syntax('cut sequence', bytes('["', 0xe2, 0x82), 1, 3, 'UTF-8', 'byte 0xe2'),
  syntax('UTF-16', bytes(0xff, 0xfe, 0x7b, 0), 1, 1, 'UTF-8', 'byte 0xff'),

  version('no version', JSON.stringify({ nodes: [] })),
  version('version 2', doc({ millrace: 2 })),
  version('version "2.0"', doc({ millrace: '2.0' })),
  version('version 1.5', doc({ millrace: 1.5 })),
  version('version true', doc({ millrace: true })),
  version('version "1.2.3.4"', doc({ millrace: '1.2.3.4' })),
  version('engines not met', doc({ engines: { millrace: '>=99' } }), '/engines/millrace'),

  schema('an array', '[]', ''),
  schema('a number', '7', ''),
  schema('null', 'null', ''),
  schema('no nodes', JSON.stringify({ millrace: 1 }), '/nodes'),
  schema('nodes as a map', doc({ nodes: {} }), '/nodes'),
  schema('a node that is a string', doc({ nodes: ['a'] }), '/nodes/0'),
  schema('node without id and type', doc({ nodes: [{}] }), '/nodes/0/id', '/nodes/0/type'),
  schema('empty id', withNode({ id: '' }), '/nodes/0/id'),
  schema('id of 65 characters', withNode({ id: 'x'.repeat(65) }), '/nodes/0/id'),
  schema('control character in an id', withNode({ id: 'a\u0007' }), '/nodes/0/id'),
  schema('lone surrogate in an id', withNode({ id: 'a\ud800' }), '/nodes/0/id'),
  schema('type with a space', withNode({ type: 'a::b c' }), '/nodes/0/type'),
  schema('params as a list', withNode({ params: [] }), '/nodes/0/params'),
  schema('unknown tier', withNode({ tier: 'gpu' }), '/nodes/0/tier'),
  schema('empty list of tiers', withNode({ tier: [] }), '/nodes/0/tier'),
  schema('a wrong tier in a list', withNode({ tier: ['js', 'auto'] }), '/nodes/0/tier/1'),
  schema('unknown mode', withNode({ mode: 'off' }), '/nodes/0/mode'),
  schema('output as text', withNode({ output: 'yes' }), '/nodes/0/output'),
  schema(
    'faults deep in policy',
    withNode({ policy: { timeoutMs: -1, retry: { kind: 'often' } } }),
    '/nodes/0/policy/timeoutMs', '/nodes/0/policy/retry/kind',
  ),
  schema('retry without kind', withNode({ policy: { retry: {} } }), '/nodes/0/policy/retry/kind'),
  schema('edge without ends', doc({ edges: [{}] }), '/edges/0/from', '/edges/0/to'),
  schema('end with one part', withEdge({ from: ['a'] }), '/edges/0/from'),
  schema('end with three parts', withEdge({ to: ['b', 'in', 0] }), '/edges/0/to'),
  schema('short feedback', withEdge({ delayFrames: 127 }), '/edges/0/delayFrames'),
  schema('capacity 0', withEdge({ capacity: 0 }), '/edges/0/capacity'),
  schema('outputs as a list', doc({ outputs: [] }), '/outputs'),
  schema('output name of 65 characters', doc({ outputs: { ['x'.repeat(65)]: ['a', 'out'] } }), `/outputs/${'x'.repeat(65)}`),
  schema('input without to, name with a slash', doc({ inputs: { 'a/b~': {} } }), '/inputs/a~1b~0/to'),
  schema('media of an input that is no object', doc({ inputs: { f: { to: [], media: 'audio' } } }), '/inputs/f/media'),
  schema('media without kind', doc({ inputs: { f: { to: [], media: { rate: 8_000 } } } }), '/inputs/f/media/kind'),
  schema('media of another kind', doc({ inputs: { f: { to: [], media: { kind: 'sound' } } } }), '/inputs/f/media/kind'),
  schema('a rate in words', doc({ inputs: { f: { to: [], media: { kind: 'audio', rate: 'fast' } } } }), '/inputs/f/media/rate'),
  schema('an empty choice', doc({ inputs: { f: { to: [], media: { kind: 'oneOf', options: [] } } } }), '/inputs/f/media/options'),
  schema(
    'two faults in media of a port',
    withNode({ media: { in: { kind: 'audio', format: [] }, out: { kind: 'tensor', shape: [3, true] } } }),
    '/nodes/0/media/in/format', '/nodes/0/media/out/shape/1',
  ),
  schema('negative revision', doc({ revision: -1 }), '/revision'),
  schema('priority 101', doc({ meta: { priority: 101 } }), '/meta/priority'),
  schema('33 tags', doc({ meta: { tags: Array(33).fill('x') } }), '/meta/tags'),
  schema('time without milliseconds', doc({ meta: { created: '2026-01-02T03:04:05Z' } }), '/meta/created'),
  schema('a day that its month has not', doc({ meta: { created: '2024-02-30T03:04:05.678Z' } }), '/meta/created'),
  schema('a leap day in a year without one', doc({ meta: { modified: '2100-02-29T03:04:05.678Z' } }), '/meta/modified'),
  schema('negative seed', doc({ config: { seed: -1 } }), '/config/seed'),
  schema('unknown negotiate', doc({ config: { negotiate: 'yes' } }), '/config/negotiate'),
  schema(
    'fault in a nested document',
    doc({ definitions: { inner: { millrace: 1, nodes: [{ id: 1, type: 'a::b' }] } } }),
    '/definitions/inner/nodes/0/id',
  ),
  schema('three faults far apart', doc({ revision: 'x', nodes: [node({ id: 5 })], edges: [7] }), '/revision', '/nodes/0/id', '/edges/0'),

  unknown('unknown field of the document', doc({ nodez: [] }), '/nodez'),
  unknown('unknown field of a node', withNode({ parms: {} }), '/nodes/0/parms'),
  unknown('unknown field of an edge', withEdge({ form: 1 }), '/edges/0/form'),
  unknown('unknown field of an input', doc({ inputs: { a: { to: [], type: 'x' } } }), '/inputs/a/type'),
  unknown('unknown fields of meta, config, engines, a pack',
    doc({ meta: { title: 'x' }, engines: { node: '20' }, packs: [{ name: 'p', version: '1', url: 'u' }], config: { threads: 1 } }),
    '/meta/title', '/engines/node', '/packs/0/url', '/config/threads'),
  unknown('unknown fields of policy, retry, breaker, requires, gpu',
    withNode({
      requires: { ram: 1, gpu: { vendor: 'v' } },
      policy: { retries: 1, retry: { kind: 'none', times: 1 }, breaker: { after: 1 } },
    }),
    '/nodes/0/requires/gpu/vendor', '/nodes/0/requires/ram', '/nodes/0/policy/retry/times', '/nodes/0/policy/breaker/after',
    '/nodes/0/policy/retries'),
  unknown(
    'unknown fields of media',
    doc({
      inputs: { f: { to: [], media: { kind: 'audio', codec: 'opus' } } },
      nodes: [node({ media: { in: { kind: 'text', lang: 'en' } } })],
    }),
    '/inputs/f/media/codec', '/nodes/0/media/in/lang',
  ),
  unknown('a name that needs escaping', withNode({ 'a/b~c': 1 }), '/nodes/0/a~1b~0c'),
]
