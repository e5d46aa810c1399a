import type { Document, DocumentNode } from '../document/document.js'
import type { NodeDefinition } from '../node-definition.js'
import { noteLosses } from './losses.js'
import { configShape, seedEdgeShape, seedNodeShape, seedShape, v1NodeShape, v1Shape } from './remotemedia-shapes.js'
import {
  OWN, carryOver, isFromSeed, isOwnName, keptOf, readEdge, readHint, readNode, writeEdge, writeHint, type Known,
} from './remotemedia.js'
import type { Report } from './report.js'
import { demandShape, foreignType, leftovers, present, type ImportContext, type Json } from './source.js'

/** What `version` looks like. */
export const SEED_VERSION = /^\d+(?:\.\d+){1,2}$/

/** Version of documents that were not read from this dialect. */
export const SEED = '1.0.0'
const RETRIES = 3, FAILURES = 5

/** Reads the dialect of RemoteMedia's seed. Throws `SCHEMA_INVALID`. */
export function importSeed(c: ImportContext, source: Json): Document {
  demandShape(c, seedShape, source)
  const known: Known = new Map()
  const nodes = (source['nodes'] as readonly Json[]).map((node, i): DocumentNode => {
    const { tier, kept } = readHint(c, node['runtime_hint'], `/nodes/${i}/runtime_hint`)
    const own = present({ runtime_hint: kept, ...leftovers(seedNodeShape, node) })
    return readNode(c, known, node['id'] as string, node['type'] as string, node['params'], `/nodes/${i}/type`, {
      tier, ...(Object.keys(own).length > 0 && { [OWN]: own }),
    })
  })
  const edges = (source['edges'] as readonly Json[])
    .map((edge, i) => readEdge(c, known, edge, `/edges/${i}`, leftovers(seedEdgeShape, edge)))
  const own = present({ version: source['version'], ...leftovers(seedShape, source) })
  return { millrace: 1, nodes, edges, ...readConfig(c, source['config'] as Json | undefined), [OWN]: own }
}

/** Retries and breaker; what is not said takes the dialect's defaults when the policy that it belongs to is there. */
function readConfig(c: ImportContext, config: Json | undefined): Pick<Document, 'config'> {
  if (config === undefined) return {}
  const { enable_metrics: metrics, retry_policy: kind, max_retries: retries, circuit_breaker_threshold: failures } = config
  const rest = leftovers(configShape, config)
  if (kind === 'none' && retries !== undefined) c.report.drop('/config/max_retries', 'no retries without a policy')
  return { config: present({
    metrics: metrics as boolean | undefined,
    retry: kind === undefined && retries === undefined
      ? undefined
      : present({ kind: kind ?? 'exponential', retries: kind === 'none' ? undefined : retries ?? RETRIES }),
    breaker: failures === undefined ? undefined : { failures },
    ...(rest !== undefined && { [OWN]: rest }),
  }) }
}

/** Writes the dialect of RemoteMedia's seed; what it cannot say is in the report. */
export function exportSeed(document: Document, definitionOf: (id: string) => NodeDefinition | undefined, report: Report): Json {
  noteLosses(document, { document: [], node: ['tier'], edge: [], config: ['metrics', 'retry', 'breaker'], own: OWN }, report)
  const { version = SEED, ...kept } = keptOf(document), same = isFromSeed(document)
  const rest = same ? kept : carryOver(kept, [seedShape, v1Shape], '', report)
  const nodes = document.nodes.map((node, i): Json => {
    const { runtime_hint: word, ...own } = keptOf(node), pointer = report.node(i)
    const type = foreignType(node, definitionOf(node.id), isOwnName)
    const hint = writeHint(node.tier, undefined, pointer, report)
    const told = hint === 'python' && typeof word === 'string' ? word : hint
    report.rename(`${pointer}/type`, node.type, type)
    if (told !== hint) report.substitute(`${pointer}/${OWN}/runtime_hint`, `runtime_hint ${told!}`, `runtime_hint ${hint!}`)
    return present({
      id: node.id, type, params: node.params, runtime_hint: hint,
      ...same ? own : carryOver(own, [seedNodeShape, v1NodeShape], pointer, report),
    })
  })
  const edges = (document.edges ?? []).map((edge) => writeEdge(edge, definitionOf))
  return present({ version, nodes, edges, config: writeConfig(document.config as Json | undefined, report), ...rest })
}

function writeConfig(config: Json | undefined, report: Report): Json | undefined {
  if (config === undefined) return undefined
  const retry = config['retry'] as Json | undefined, breaker = config['breaker'] as Json | undefined
  for (const [name, value, carried] of [['retry', retry, ['kind', 'retries']], ['breaker', breaker, ['failures']]] as const) {
    for (const field of Object.keys(value ?? {})) {
      if (!(carried as readonly string[]).includes(field)) {
        report.drop(`/config/${name}/${field}`, `${field} has no place in remotemedia-seed`)
      }
    }
  }
  const noRetries = retry?.['kind'] === 'none' && retry['retries'] !== undefined
  if (noRetries) report.drop('/config/retry/retries', 'no retries without a policy')
  const written = present({
    enable_metrics: config['metrics'], retry_policy: retry?.['kind'], max_retries: noRetries ? undefined : retry?.['retries'],
    circuit_breaker_threshold: breaker === undefined ? undefined : breaker['failures'] ?? FAILURES, ...config[OWN] as Json | undefined,
  })
  return Object.keys(written).length === 0 ? undefined : written
}
