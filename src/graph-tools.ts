/**
 * What editors, converters and tools need of graphs and the engine never does: JSON Schemas now; dialects, diff and merge, drawings. An
 * entry of its own (`millrace/graph`), so that a page which only runs graphs does not load it. Nothing runs at import.
 */
export { nodeSchema, paramsFromSchema, paramsSchema } from './graph/schema/node-schema.js'
export { documentSchema, type JsonSchema } from './graph/schema/json-schema.js'
export { metricsSchema } from './schedule/metrics-schema.js'
export { flatGraph, flattenGraph, type Flattened, type FlattenOptions } from './graph/subgraph/flatten.js'
export { pack, unpack, type Unpacked } from './graph/subgraph/pack.js'
export { subgraphType } from './graph/subgraph/subgraph-type.js'
export { applyChange, changeOf, invertChange, type Change, type ChangeSlice, type PlainNode } from './graph/edit/change.js'
export { ChangeLog, replay, type ChangeLogOptions, type ChangeRecord, type ChangeType } from './graph/edit/change-log.js'
export {
  groupNodes, insertOnEdge, moveNodes, refreshTypes, relinkEdge, removeEdge, renameNode, renameParam, setInputTarget, setNode, setOutput,
  setType, type NodeGroup, type NodeOnEdge,
} from './graph/edit/edits.js'
export { importDocument, type ImportOptions } from './graph/dialects/import-document.js'
export { exportDocument } from './graph/dialects/export-document.js'
export { DIALECTS, type Dialect } from './graph/dialects/dialect.js'
export type { Dropped, ImportReport, Missing, Renamed, Substituted } from './graph/dialects/report.js'
export { embedGraph, extractGraph, type ExtractOptions, type Inflate } from './graph/embed/index.js'
export { applyDiff, diff, type EdgeChange, type FieldChanges, type GraphDiff, type ListDiff, type NodeChange } from './graph/edit/diff.js'
export { merge3, type MergeConflict, type Merged } from './graph/edit/merge.js'
export { toDot } from './graph/dump/dot.js'
export { toMermaid } from './graph/dump/mermaid.js'
export type { DrawnPlan } from './graph/dump/drawing.js'
export { typedDocumentSchema } from './graph/schema/typed-document-schema.js'
export { applySuggestion, type SuggestedEdit } from './graph/edit/suggestion.js'
export { canConnect, type ConnectOptions } from './graph/connect/can-connect.js'
