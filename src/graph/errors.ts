import { commonErrors } from '../errors/common-errors.js'
import { defineErrors } from '../errors/define-errors.js'
import { show, showList } from '../errors/show.js'

const bad = { kind: 'validation', httpStatus: 400 } as const
const didYouMean = (near: readonly string[] | undefined, otherwise = ''): string =>
  near === undefined || near.length === 0 ? otherwise : `Did you mean ${near.join(' or ')}?`

/** A node-level remark: what happened to `node`, and what to do if that is unwanted. */
interface NodeRemark { readonly node: string; readonly what: string; readonly todo?: string }
const note = {
  kind: 'validation', httpStatus: 200,
  message: (d: NodeRemark): string => `Node ${d.node}: ${d.what}.`,
  hint: (d: NodeRemark): string => d.todo ?? '',
} as const

/** Ports are written `node.port` in details and messages. */
interface LinkClash { readonly input: string; readonly first: string; readonly got: string }
const linkClash = (d: LinkClash): string => `Input ${d.input}: already linked from ${d.first}, got ${d.got}.`

/** `constraint` is one of the words of spec graph.md section 3; `range` the allowed values as text. */
interface ParamFault {
  readonly node: string
  readonly param: string
  readonly constraint: string
  readonly limit?: unknown
  readonly got: unknown
  readonly range?: string
}
/** Constraints in English, before the limit and after it; a word that is not here is English already. */
const PHRASES: Readonly<Record<string, readonly [string, string?]>> = {
  min: ['at least'], max: ['at most'], exclusiveMin: ['more than'], exclusiveMax: ['less than'], enum: ['one of'], pattern: ['a match of'],
  required: ['a value'], type: [''], format: [''], other: [''],
  minLength: ['at least', ' characters'], maxLength: ['at most', ' characters'], minItems: ['at least', ' entries'],
  maxItems: ['at most', ' entries'],
}
function expectation({ constraint, limit }: ParamFault): string {
  const [before, after = ''] = Object.hasOwn(PHRASES, constraint) ? PHRASES[constraint]! : [constraint]
  return limit === undefined
    ? before
    : `${before} ${typeof limit === 'string' ? limit : Array.isArray(limit) ? showList(limit) : show(limit)}${after}`.trimStart()
}

interface MissingFact { readonly node: string; readonly fact: string; readonly have: string; readonly where?: string }
const lacking = {
  kind: 'environment', httpStatus: 501, stage: 11,
  message: (d: MissingFact): string => `Node ${d.node}: needs ${d.fact}, host has ${d.have}.`,
  hint: (d: MissingFact): string => `Run on ${d.where ?? 'another host'}, or mark it preferred.`,
} as const

/** Everything that reading, checking and compiling a graph can find (spec graph.md section 5, wording of execution.md section 7). */
export const graphErrors = {
  ...defineErrors({
    JSON_SYNTAX: {
      ...bad, stage: 1,
      message: (d: { readonly token: string; readonly found: string; readonly line: number; readonly column: number }) =>
        `Document: expected ${d.token}, got ${d.found} at line ${d.line}, column ${d.column}.`,
      hint: () => 'Fix the JSON there.',
    },
    VERSION_MISMATCH: {
      ...bad, stage: 2,
      message: (d: { readonly expected: string; readonly got: string }) => `Document: expected version ${d.expected}, got ${d.got}.`,
      hint: () => 'Update millrace; from another dialect: `millrace convert FILE --to millrace`.',
    },
    SCHEMA_INVALID: {
      ...bad, stage: 3,
      message: (d: { readonly pointer: string; readonly schema: string; readonly got: unknown }) =>
        `${d.pointer === '' ? 'Document' : d.pointer}: expected ${d.schema}, got ${show(d.got)}.`,
      hint: () => 'See the document format.',
    },
    UNKNOWN_FIELD: {
      ...note, stage: 3, severity: 'warning',
      message: (d: { readonly pointer: string }) => `${d.pointer}: unknown field.`,
      hint: () => 'Prefix own fields with `x-`.',
    },
    GRAPH_EMPTY: {
      ...bad, stage: 4, message: (_: object) => 'Graph: expected at least one node, got 0.', hint: () => 'Add one.',
    },
    DUPLICATE_ID: {
      ...bad, stage: 5,
      message: (d: { readonly thing: string; readonly id: string; readonly first: string; readonly second: string }) =>
        `${d.thing} ${d.id}: defined twice, at ${d.first} and ${d.second}.`,
      hint: () => 'Rename one.',
    },
    NODE_NOT_FOUND: {
      ...bad, stage: 6,
      message: (d: { readonly thing: string; readonly id: string; readonly node: string; readonly near?: readonly string[] }) =>
        `${d.thing} ${d.id}: no node ${d.node}.`,
      hint: (d) => didYouMean(d.near),
    },
    SELF_LINK: {
      ...bad, stage: 6,
      message: (d: { readonly node: string }) => `Node ${d.node}: linked to itself.`,
      hint: () => 'Use a feedback edge with delayFrames.',
    },
    EDGE_DUPLICATE: { ...bad, stage: 6, message: linkClash, hint: () => 'Remove one link.' },
    NODE_TYPE_UNKNOWN: {
      ...bad, stage: 7,
      message: (d: { readonly node: string; readonly type: string; readonly near?: readonly string[]; readonly pack?: string }) =>
        `Node ${d.node}: type ${d.type} is not registered.`,
      hint: (d) => [didYouMean(d.near), d.pack === undefined ? '' : `Install ${d.pack}.`].filter((s) => s !== '').join(' ')
        || 'Add its pack to the registry.',
    },
    NODE_VERSION: {
      ...bad, stage: 7,
      message: (d: { readonly node: string; readonly range: string; readonly version: string }) =>
        `Node ${d.node}: expected ${d.range}, registry has ${d.version}.`,
      hint: () => 'Update the pack or the range.',
    },
    NODE_DEPRECATED: { ...note, stage: 7, severity: 'warning' },
    PARAM_INVALID: {
      ...bad, stage: 8,
      message: (d: ParamFault) => `Param ${d.node}.${d.param}: expected ${expectation(d)}, got ${show(d.got)}.`,
      hint: (d) => d.range === undefined ? '' : `Allowed: ${d.range}.`,
    },
    PARAM_UNKNOWN: {
      ...bad, stage: 8,
      message: (d: {
        readonly node: string
        readonly param: string
        readonly names: readonly string[]
        readonly near?: readonly string[]
        readonly got?: unknown
        readonly older?: string
      }) =>
        `Param ${d.node}.${d.param}: expected one of ${showList(d.names)}, got ${show(d.param)}.`,
      hint: (d) => didYouMean(d.near, `Allowed: ${showList(d.names)}.`) + (d.older ?? ''),
    },
    GRAPH_CYCLE: {
      ...bad, stage: 9,
      message: (d: { readonly nodes: readonly string[]; readonly edges: readonly string[] }) => `Graph: cycle ${d.nodes.join(' -> ')}.`,
      hint: (d) => d.edges.length === 0 ? 'A definition cannot hold itself.' : `Remove edge ${d.edges.at(-1)} or set delayFrames.`,
    },
    GRAPH_NO_END: {
      ...bad, stage: 10,
      message: (d: { readonly missing: 'source' | 'sink' }) => `Graph: expected at least one ${d.missing}, got 0.`, hint: () => 'Add one.',
    },
    ORPHAN_NODE: { ...note, stage: 10, severity: 'warning' },
    PRUNED_NODE: { ...note, stage: 10, severity: 'info' },
    BYPASS_IMPOSSIBLE: { ...note, stage: 10, severity: 'warning' },
    TIER_UNAVAILABLE: {
      kind: 'environment', httpStatus: 501, stage: 11,
      message: (d: { readonly node: string; readonly wanted: string; readonly missing: readonly string[] }) =>
        `Node ${d.node}: tier ${d.wanted} needs ${showList(d.missing)}.`,
      hint: (d) => `Use \`tier: 'auto'\` or enable ${showList(d.missing)}.`,
    },
    CAPABILITY_MISSING: lacking,
    PLACE_IMPOSSIBLE: lacking,
    TIER_FALLBACK: { ...note, stage: 11, severity: 'warning' },
    CAPABILITY_PREFERRED: { ...note, stage: 11, severity: 'info' },
    PORT_NOT_FOUND: {
      ...bad, stage: 12,
      message: (d: {
        readonly node: string
        readonly port: string
        readonly ports: readonly string[]
        readonly near?: readonly string[]
        readonly older?: string
      }) =>
        `Node ${d.node}: no port ${d.port}; has ${showList(d.ports)}.`,
      hint: (d) => didYouMean(d.near) + (d.older ?? ''),
    },
    INPUT_OCCUPIED: { ...bad, stage: 12, message: linkClash, hint: () => 'Remove one link.' },
    INPUT_MISSING: {
      ...bad, stage: 12,
      message: (d: { readonly input: string; readonly media: string }) => `Input ${d.input}: expected ${d.media}, got nothing.`,
      hint: () => 'Link it or give a default.',
    },
    TYPE_MISMATCH: {
      ...bad, stage: 12,
      message: (
        d: { readonly from: string; readonly to: string; readonly expected: string; readonly got: string; readonly converter?: string },
      ) =>
        `Edge ${d.from}→${d.to}: expected ${d.expected}, got ${d.got}.`,
      hint: (d) => d.converter === undefined ? 'Link another output.' : `Insert ${d.converter}.`,
    },
    NEGOTIATION_CONFLICT: {
      ...bad, stage: 12,
      message: (d: {
        readonly from: string
        readonly to: string
        readonly field: string
        readonly gives: string
        readonly takes: string
        readonly converter?: string
      }) => `Edge ${d.from}→${d.to}, ${d.field}: ${d.from} gives ${d.gives}, ${d.to} takes ${d.takes}.`,
      hint: (d) =>
        d.converter === undefined ? 'Change one end, or allow `negotiate: auto`.' : `Insert ${d.converter} or allow \`negotiate: auto\`.`,
    },
    CONVERTER_INSERTED: { ...note, stage: 12, severity: 'info' },
  }),
  LIMIT_EXCEEDED: commonErrors.LIMIT_EXCEEDED,
  INVALID_ARGUMENT: commonErrors.INVALID_ARGUMENT,
}
