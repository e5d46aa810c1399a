/**
 * Millrace: a WebAssembly-first media engine. This entry holds the engine, the graph and the converters of negotiation; node types are in
 * `millrace/nodes`. Nothing runs at import.
 */
export { createEngine, type CreateEngineOptions } from './engine/create-engine.js'
export type { CancelOptions, Engine } from './engine/engine.js'
export type { PlanOptions } from './engine/run-compiler.js'
export type { OpenNode, OpenNodeOptions } from './engine/open-node.js'
export type { WorkletContext, WorkletInput, WorkletNode, WorkletOptions, WorkletSegment } from './engine/worklet.js'
export type { EngineOptions } from './engine/engine-options.js'
export type { EngineEvent, EventListener } from './observe/events.js'
export type { EdgeStats } from './engine/edge-log.js'
export type { EngineStats, ModeFacts } from './engine/engine-stats.js'
export type { OutputsOf } from './engine/output-types.js'
export { isMillraceError, MillraceError, type ErrorKind } from './errors/millrace-error.js'
export type { Diagnostic, Place, Severity, Suggestion } from './errors/diagnostic.js'
export { createGraph, type Graph, type GraphConfig, type GraphEdge, type GraphInput, type GraphNode, type PortRef } from './graph/graph.js'
export { addNode, connect, disconnect, removeNode, setParam } from './graph/edit.js'
export { graphFrom, type Outputs } from './graph/graph-from.js'
export { defineNode } from './graph/define-node.js'
export { feedback } from './graph/feedback.js'
export { parseDocument, type ParseOptions, type ParseResult } from './graph/document/parse-document.js'
export { fromDocument } from './graph/document/from-document.js'
export { toDocument } from './graph/document/to-document.js'
export { writeDocument } from './graph/document/write-document.js'
export { createRegistry, type Registry } from './graph/registry.js'
export { hashGraph, type GraphHashes, type Hash, type HashOptions } from './graph/hash.js'
export { validate } from './graph/validate/index.js'
export { topologicalOrder, type TopologicalOrder } from './graph/order.js'
export type {
  ChannelView, Estimate, InputDeclaration, InputEstimate, KernelAsset, KernelDeclaration, NodeBlock, NodeClock, NodeContext, NodeDefinition,
  NodeInputs, NodeRandom, OutputDeclaration, OutputFrames, PacketRecord, ParamDeclaration, ParamRate, ParamTable, ParamType, ParamValues,
  PortMedia, ProbeResult, SummaryViews,
} from './graph/node-definition.js'
export type { FactoryFacts, NodeFactory, NodeHandle } from './graph/node-factory.js'
export type { InputTable, OutputTable, ResolvedInputs, ResolvedParams, Signature } from './graph/signature.js'
export type { FileValue, SeedValue } from './graph/param-types.js'
export type { Document, DocumentEdge, DocumentInput, DocumentNode } from './graph/document/document.js'
export type { Limits } from './graph/limits.js'
export type { GraphId, JobId, NodeId, PackId, RunId, TensorId, WorkerId } from './graph/ids.js'
export type { Reference, ReferenceInit, ReferenceIo } from './graph/reference.js'
export type { AnyHandle, AnyOutput, NodeMode, OutputRef } from './graph/output-ref.js'
export type { NodePlace, NodePolicy, NodeRequirements, NodeRetry, NodeSettings, SkipCondition } from './graph/node-settings.js'
export type { Tier, TierChoice } from './graph/tiers.js'
export { anyMedia, audio, bytes, events, json, match, oneOf, sameAs, tensor, text, tokens, video } from './media/media-type.js'
export type {
  AnyConstraint, AudioConstraint, AudioMedia, BytesConstraint, BytesMedia, EventsConstraint, EventsMedia, FieldConstraint, FromParams,
  JsonConstraint, JsonMedia, MatchConstraint, Media, MediaConstraint, MediaKind, OneOfConstraint, Range, SameAs, SampleFormat, SampleLayout,
  SimpleConstraint, TensorConstraint, TensorMedia, TextConstraint, TextMedia, TokensConstraint, TokensMedia, VideoConstraint,
  VideoMatrix, VideoMedia, VideoRange,
} from './media/media-type.js'
export type { AudioBuffer, AudioSpec, Speakers } from './media/audio-buffer.js'
export { blocker } from './media/blocker.js'
export { convertSamples } from './media/convert-samples.js'
export type { DataOf, Packet, PacketStream, SegmentEvent } from './media/packet.js'
export { loadPeer, type ImportModule } from './formats/load-peer.js'
export { hostFacts, type HostFacts } from './kernels/host-facts.js'
export type { WasmSource } from './kernels/wasm-source.js'
export { exportMetrics, type EdgeMetrics, type NodeMetrics, type RunMetrics } from './schedule/metrics.js'
export type { Plan, PlanBuffer, PlanEdge, PlanNode, PlanSegment } from './schedule/plan.js'
export { printPlan } from './schedule/print-plan.js'
export type { Progress, ProgressListener } from './schedule/progress.js'
export type { RunFailure, RunOptions, RunResult } from './schedule/run-types.js'
