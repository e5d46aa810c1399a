import type { KindOf } from '../media/media-type.js'
import type { DataOf, PacketStream } from '../media/packet.js'
import type {
  InputDeclaration, KernelDeclaration, NodeDefinition, NodeInputs, OutputDeclaration, ParamDeclaration, ParamTable, ParamValues,
} from './node-definition.js'
import type { ParamValueOf } from './param-types.js'

/** Ports of a node by name, in order of declaration. */
export type InputTable = Readonly<Record<string, InputDeclaration>>
/** As {@link InputTable}, for outputs. */
export type OutputTable = Readonly<Record<string, OutputDeclaration>>

/**
 * What of a definition the types of its calls depend on. It stands in the type of a factory in place of the whole definition, so that a
 * package of nodes writes short declarations that name exported types only.
 */
export interface Signature<
  I extends InputTable = InputTable, O extends OutputTable = OutputTable, P extends ParamTable = ParamTable, M = unknown,
  Kernel extends boolean = boolean, Open = unknown
> {
  readonly inputs: I
  readonly outputs: O
  readonly params: P
  readonly main: M
  /** Compiled code reads the params. */
  readonly kernel: Kernel
  /** Takes params that are not declared. */
  readonly open: Open
}

type Declared<P extends ParamDeclaration> =
  P extends { readonly default: unknown } | { readonly required: true } ? ParamValueOf<P> : ParamValueOf<P> | undefined
/** Params as the functions of a definition get them, defaults filled in. Of a table that is not known when compiled: any names. */
export type ResolvedParams<P extends ParamTable> = string extends keyof P ? ParamValues : { readonly [K in keyof P]: Declared<P[K]> }

type DataAt<I extends InputDeclaration> =
  I extends { readonly list: true } ? readonly DataOf[KindOf<I['media']>][] : DataOf[KindOf<I['media']>]
type Streams<I extends InputDeclaration> = I extends { readonly multi: true } ? readonly PacketStream<DataAt<I>>[] : PacketStream<DataAt<I>>
/** Inputs as `process` gets them. Of ports that are not known when compiled: any names. */
export type ResolvedInputs<I extends InputTable> = string extends keyof I
  ? NodeInputs
  : { readonly [K in keyof I]: I[K] extends { readonly optional: true } ? Streams<I[K]> | undefined : Streams<I[K]> }

/**
 * A definition as `defineNode` takes it: its functions know the names and types of the declared ports and params. `Export`:
 * the kernel's, which tells that there is one.
 */
export type TypedDefinition<I extends InputTable, O extends OutputTable, P extends ParamTable, M, Export extends string, Open> =
  Omit<NodeDefinition<Open extends true ? ResolvedParams<P> & ParamValues : ResolvedParams<P>, ResolvedInputs<I>>, 'inputs' | 'outputs'
    | 'params' | 'main' | 'kernel' | 'additionalParams'>
  & {
    readonly inputs: I
    readonly outputs: O
    readonly params: P
    readonly main?: M
    readonly kernel?: KernelDeclaration & { readonly export: Export }
    readonly additionalParams?: Open
  }
