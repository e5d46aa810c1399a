import { commonErrors } from '../errors/common-errors.js'
import { show } from '../errors/show.js'
import type { MediaConstraint, SameAs } from '../media/media-type.js'
import { bounds, isSeed, textRules } from './check-param.js'
import { LONGEST_NAME, PORT_NAME, TYPE_ID } from './ids.js'
import { compareVersions, satisfies } from './semver.js'
import type { InputDeclaration, NodeDefinition, OutputDeclaration, ParamDeclaration, ParamTable, ParamType } from './node-definition.js'

/** Most ports of a node, inputs and outputs together (spec graph.md section 7, hard limit). */
const MOST_PORTS = 1_024
/** A semantic version, whole: ranges of it are ranges. */
const isVersion = (version: unknown): boolean => typeof version === 'string' && /^\d+\.\d+\.\d/.test(version) && satisfies(version, version)
/** Names that would change what a handle or a params object is. */
const RESERVED = new Set(['then', 'constructor', 'prototype'])

/** What a field may be, by letter: in words, and as a test. */
const KINDS: Readonly<Record<string, readonly [what: string, is: (value: unknown) => boolean]>> = {
  s: ['text', (value) => typeof value === 'string'], b: ['true or false', (value) => typeof value === 'boolean'],
  f: ['a function', (value) => typeof value === 'function'],
  n: ['a number from 0', (value) => typeof value === 'number' && value >= 0],
  N: ['a number', (value) => typeof value === 'number' && value === value],
  o: ['an object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)],
  S: ['a list of texts', (value) => Array.isArray(value) && value.every(KINDS['s']![1])],
  O: ['a list of objects', (value) => Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null)],
  // By tag, not by class: a URL of another realm is one too.
  u: ['a URL', (value) => Object.prototype.toString.call(value) === '[object URL]'],
}

/**
 * Fields, each with what it may be: letters of {@link KINDS} and words; `!`: it has to be there; `~`: it decides nothing of what the node
 * gives (how it is shown, found and explained, what older documents become before they are hashed, when, where and at what cost it runs),
 * so hashes pass it by. `fingerprint` has a record of its own there.
 */
const NODE = '~title:s! ~doc:s ~family:s ~tags:S ~aliases:S ~status:stable|experimental|deprecated ~replacedBy:s ~references:S params:o! additionalParams:b inputs:o! outputs:o! main:s kernel:o reference:o process:f init:f '
  + 'flush:f reset:f dispose:f pull:f ~thread:engine|worker codeURL:s|u whole:f probe:f validate:f deterministic:yes|seeded|no parity:exact|o stateful:b idempotent:b effects:none|read|write latencyFrames:n|f '
  + 'tailFrames:n|f holdFrames:n|f summary:f identity:f ~planNote:f ~costNs:n ~costUs:n|f ~memoryBytes:n|f ~requires:o ~pin:main|master ~limiters:S ~hangMs:n ~batchable:b ~fingerprint:f ~converter:o ~migrations:O ~example:f'
const PARAM = 'type:number|integer|boolean|string|enum|seed|vector|color|file|json|array|object! unit:s min:N max:N exclusiveMin:N exclusiveMax:N step:n values:S pattern:s minLength:n maxLength:n minItems:n maxItems:n '
  + 'items:o required:b curve:lin|log|exp|db label:s doc:s widget:s cosmetic:b secret:b size:cores|memoryBytes alias:S rate:sample|block|init input:b main:b'
const PORT = 'media:o! list:b doc:s optional:b multi:b lazy:b changes:b frames:same|passThrough|f view:f metadata:f'
const MEDIA = 'kind:audio|video|tensor|tokens|text|events|json|bytes|any|match|oneOf!'
const PARTS = {
  kernel: 'module:s! export:s! flush:b shared:b tiers:S statuses:o inPlace:O assets:f slots:f controls:f',
  reference: 'init:f! process:f! flush:f reset:f!', converter: 'lossless:b|f! cost:n! params:f!', parity: 'peak:n! rms:n!',
}

/** Names of a definition's fields that hashes pass by; type and version have records of their own there. */
export function asideOf(): ReadonlySet<string> {
  return new Set(['type', 'version', ...[...NODE.matchAll(/~(\w+)/g)].map(([, name]) => name!)])
}

interface FieldRow { readonly name: string; readonly allowed: readonly string[]; readonly needed: boolean }
/** Field texts as rows, each read once. */
const rows = new Map<string, readonly FieldRow[]>()

function rowsOf(fields: string): readonly FieldRow[] {
  let read = rows.get(fields)
  if (read === undefined) {
    rows.set(fields, read = fields.split(' ').map((field) => {
      const [name = '', kinds = ''] = field.replace(/[~!]/g, '').split(':')
      return { name, allowed: kinds.split('|'), needed: field.endsWith('!') }
    }))
  }
  return read
}

/**
 * Refuses fields of another type than theirs; `at`: what they are fields of, with a dot. Texts are made for faults only: every node of a
 * program passes here when it loads.
 */
function checkFields(type: string, at: string, part: unknown, fields: string): void {
  if (!KINDS['o']![1](part)) demand(type, false, `${at} as an object`, show(part))
  for (const { name, allowed, needed } of rowsOf(fields)) {
    const value = (part as Readonly<Record<string, unknown>>)[name]
    if (value === undefined ? !needed : allowed.some((kind) => KINDS[kind]?.[1](value) ?? kind === value)) continue
    demand(type, false, `${at}${name} as ${allowed.map((kind) => KINDS[kind]?.[0] ?? kind).join(' or ')}`, show(value))
  }
}

/**
 * Refuses a definition with a field of the wrong type, or that contradicts itself. Throws `INVALID_ARGUMENT` naming the type and the field.
 */
export function checkDefinition(definition: NodeDefinition): void {
  checkFields('', '', definition, 'type:s! version:s!')
  const { type, version, title, inputs, outputs, params, kernel, thread, codeURL, reference, process, pull, flush } = definition
  const inWorker = thread === 'worker'
  demand(type, TYPE_ID.test(type) && type.length <= LONGEST_NAME, 'type `family::name` of at most 64 characters', type)
  demand(type, isVersion(version), 'a semantic version', version)
  checkFields(type, '', definition, NODE)
  demand(type, title.length > 0 && title.length <= 80, 'a title of 1 to 80 characters', `${title.length}`)
  for (const part of Object.keys(PARTS) as (keyof typeof PARTS)[]) {
    if (typeof definition[part] === 'object') checkFields(type, `${part}.`, definition[part], PARTS[part])
  }
  for (const [side, table] of Object.entries({ inputs, outputs })) for (const [name, port] of Object.entries(table)) {
    checkFields(type, `${side}.${name}.`, port, PORT)
    checkFields(type, `${side}.${name}.media.`, port.media, MEDIA)
    checkMedia(type, `${side}.${name}.media`, port.media, definition)
  }
  const inputNames = Object.keys(inputs), outputNames = Object.keys(outputs), ports = [...Object.values(inputs), ...Object.values(outputs)]
  demand(type, ports.length <= MOST_PORTS, `at most ${MOST_PORTS} ports`, `${ports.length}`)
  for (const name of [...inputNames, ...outputNames, ...Object.keys(params)]) checkName(type, name)
  for (const name of Object.keys(params)) demand(type, !(name in inputs), 'different names for inputs and params', name)
  if (definition.main !== undefined) demand(type, Object.hasOwn(outputs, definition.main), 'main to name an output', definition.main)
  demand(type, kernel === undefined || reference !== undefined, 'a reference beside the kernel', 'none')
  const made = kernel?.tiers
  demand(
    type,
    made === undefined || (made.length > 0 && made.every((tier) => tier === 'wasm-threads' || tier === 'wasm')),
    'kernel.tiers of wasm-threads and wasm, at least one', show(made),
  )
  demand(type, [kernel, reference, process, pull, inWorker ? codeURL : undefined].some((part) => part !== undefined)
    || (outputNames.length > 0 && Object.values(outputs).every((output) => output.view !== undefined)),
    'a kernel, a process function or a pull function', 'none')
  demand(type, flush === undefined || process !== undefined, 'process beside flush', 'none')
  demand(type, inWorker || codeURL === undefined, "thread: 'worker' beside codeURL", `thread ${thread ?? 'engine'}`)
  demand(type, !inWorker || kernel === undefined, "no thread for a kernel node", 'worker')
  demand(
    type,
    kernel === undefined || !ports.some(({ lazy, changes, list }: Partial<InputDeclaration & OutputDeclaration>) =>
      lazy === true || changes === true || list === true),
    'no lazy or list ports beside a kernel, nor ports with changes', 'some',
  )
  checkParams(type, params)
  const from = definition.migrations?.map((step) => step.from) ?? []
  definition.migrations?.forEach(({ renames = {}, ...step }, i) => {
    checkFields(type, `migrations[${i}].`, { ...step, renames, names: Object.values({ ...renames }) }, 'from:s! renames:o names:S params:f')
  })
  demand(
    type,
    from.every((old, i) => isVersion(old) && compareVersions(old, version) < 0 && from.indexOf(old) === i),
    `migrations from different versions before ${version}`, from.join(', '),
  )
}

/** Ports that media refer to are there, and sets hold something. */
function checkMedia(type: string, at: string, media: MediaConstraint, { inputs, outputs, params }: NodeDefinition): void {
  if (media.kind === 'oneOf') {
    demand(
      type, Array.isArray(media.options) && media.options.length > 0, `${at}.options as a list of media, at least one`, show(media.options),
    )
    media.options.forEach((option, i) => {
      checkFields(type, `${at}.options[${i}].`, option, MEDIA)
      checkMedia(type, `${at}.options[${i}]`, option, { inputs, outputs, params } as NodeDefinition)
    })
    return
  }
  for (const [field, value] of Object.entries(media) as [string, unknown][]) {
    const port = field === 'like' ? value : (value as Partial<SameAs> | null | undefined)?.sameAs
    if (port !== undefined) {
      demand(
        type,
        [inputs, outputs, params].some((table) => Object.hasOwn(table, port as string)),
        `${at}.${field} to name a port`, show(port),
      )
    }
    demand(type, !Array.isArray(value) || value.length > 0 || field === 'shape', `${at}.${field} with at least one value`, '[]')
  }
}

function checkName(type: string, name: string): void {
  demand(
    type, PORT_NAME.test(name) && !RESERVED.has(name),
    'names of letters, digits, _ and - starting with a letter, at most 64 characters',
    name,
  )
}

function checkParams(type: string, params: ParamTable): void {
  for (const [name, param] of Object.entries(params)) checkParamFields(type, `params.${name}.`, param)
  const taken = new Set(Object.keys(params))
  let main = ''
  for (const [name, param] of Object.entries(params)) {
    demand(type, !(param.required === true && param.default !== undefined), `no default for required param ${name}`, show(param.default))
    if (DEFAULTS[param.type] !== undefined) checkFields(type, `params.${name}.`, param, `default:${DEFAULTS[param.type]}`)
    const { default: preset } = param, fault = defaultFault(param, preset)
    demand(type, fault === undefined, `a default of ${name} ${fault}`, show(preset))
    if (param.main === true) { demand(type, main === '', 'one main param', `${main} and ${name}`); main = name }
    for (const alias of param.alias ?? []) {
      demand(type, !taken.has(alias), `alias ${alias} of ${name} to be free`, 'taken')
      taken.add(alias)
    }
  }
}

/** What the default of a param of a type is. */
const DEFAULTS: { readonly [T in ParamType]?: string } = { number: 'N', integer: 'N', boolean: 'b', string: 's', object: 'o' }

/** What a default, or an item of one, would have to be by its own declaration. */
function defaultFault(param: ParamDeclaration, value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map((one) => defaultFault(param.items ?? param, one)).find((one) => one !== undefined)
  if (value === undefined) return undefined
  if (param.type === 'enum') return param.values!.includes(value as string) ? undefined : 'among its values'
  if (param.type === 'integer' ? !Number.isSafeInteger(value) : param.type === 'seed' && !isSeed(value)) return `of its type, ${param.type}`
  const fault = typeof value === 'number' ? bounds(param, value, '')
    : typeof value === 'string' && param.type === 'string' ? textRules(param, value, '')
    : undefined
  return fault && `of ${fault.constraint} ${fault.limit}`
}

/** A declaration, and those of the items of arrays. */
function checkParamFields(type: string, at: string, param: ParamDeclaration): void {
  checkFields(type, at, param, PARAM)
  const name = at.slice('params.'.length, -1)
  demand(type, param.type !== 'enum' || (param.values?.length ?? 0) > 0, `values for enum ${name}`, 'none')
  demand(type, rangeHolds(param), `a range that is not empty for ${name}`, `${param.min}…${param.max}`)
  const { minLength = 0, maxLength = Infinity, minItems = 0, maxItems = Infinity } = param
  demand(
    type, minLength <= maxLength && minItems <= maxItems, `lengths of ${name} from the least to the most`,
    `${param.minLength ?? minItems}…${param.maxLength ?? maxItems}`,
  )
  try { new RegExp(param.pattern ?? '', 'u') } catch { demand(type, false, `${at}pattern as a regular expression`, param.pattern!) }
  demand(type, at.length < 256, 'items of items that end', at)
  if (param.items !== undefined) checkParamFields(type, `${at}items.`, param.items)
}

function rangeHolds({ min, max, exclusiveMin, exclusiveMax }: ParamDeclaration): boolean {
  const low = Math.max(min ?? -Infinity, exclusiveMin ?? -Infinity), high = Math.min(max ?? Infinity, exclusiveMax ?? Infinity)
  return low < high || (low === high && exclusiveMin !== low && exclusiveMax !== high)
}

function demand(type: string, holds: boolean, expected: string, got: string): void {
  if (!holds) throw commonErrors.INVALID_ARGUMENT({ function: `defineNode(${type})`, expected, got })
}
