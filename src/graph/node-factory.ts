import type { KindOf, MediaKind } from '../media/media-type.js'
import type { InputDeclaration, NodeDefinition } from './node-definition.js'
import type { AnyHandle, NodeSettings, OutputRef } from './output-ref.js'
import type { MainValueOf, ParamsOf, RequiredNames } from './param-types.js'

/** Distributes over the kinds: an output fits when it may carry at least one of them. */
type Accepting<K extends MediaKind> = K extends MediaKind ? OutputRef<K> : never

/** What may be wired into a port: one output, or a list when the port is `multi`. */
export type InputArgument<I extends InputDeclaration> =
  I extends { readonly multi: true } ? Accepting<KindOf<I['media']>> | readonly Accepting<KindOf<I['media']>>[] : Accepting<KindOf<I['media']>>

/** True for a union of at least two members: tells a node with one port from one with several. */
type IsUnion<T, U = T> = [T] extends [never] ? false : T extends unknown ? ([U] extends [T] ? false : true) : false

type Inputs<D extends NodeDefinition> = D['inputs']
type InputNames<D extends NodeDefinition> = keyof D['inputs'] & string
type OptionalInputs<D extends NodeDefinition> = { [P in InputNames<D>]: Inputs<D>[P] extends { readonly optional: true } ? P : never }[InputNames<D>]

/** Inputs by name, for nodes with several: exact per port. */
export type NamedInputs<D extends NodeDefinition> =
  { readonly [P in Exclude<InputNames<D>, OptionalInputs<D>>]: InputArgument<Inputs<D>[P]> }
  & { readonly [P in OptionalInputs<D>]?: InputArgument<Inputs<D>[P]> | undefined }

/** Any of the node's inputs: a type knows the names of ports but not their order, so several inputs in order are checked by kind here, by port at run time. */
type AnyInput<D extends NodeDefinition> = { [P in InputNames<D>]: InputArgument<Inputs<D>[P]> }[InputNames<D>]

/** Wires of a call: none, one exactly typed, or several in order or by name. */
type WireArguments<D extends NodeDefinition> =
  [InputNames<D>] extends [never] ? []
    : IsUnion<InputNames<D>> extends true ? [NamedInputs<D>] | [AnyInput<D>, ...(AnyInput<D> | undefined)[]]
      : [OptionalInputs<D>] extends [never] ? [input: InputArgument<Inputs<D>[InputNames<D>]>]
        : [] | [input: InputArgument<Inputs<D>[InputNames<D>]> | undefined]

/** What may drive a param depends on who reads it: compiled code, frame by frame, or a function. */
type HasKernel<D extends NodeDefinition> = D extends { readonly kernel: object } ? true : false

/** The params object: declared params, and any others where the type takes them. */
type GivenParams<D extends NodeDefinition> =
  D extends { readonly additionalParams: true } ? Readonly<Record<string, unknown>> & ([keyof D['params']] extends [never] ? unknown : ParamsOf<D['params'], HasKernel<D>>) : ParamsOf<D['params'], HasKernel<D>>

/** The params argument may be left out when no param is required. */
type ParamArguments<D extends NodeDefinition> = [RequiredNames<D['params']>] extends [never] ? [params?: GivenParams<D>] : [params: GivenParams<D>]

/** Calls of a node: inputs in order, then params; with a main param its value alone may stand in place of the params. */
type Calls<D extends NodeDefinition> =
  [MainValueOf<D['params']>] extends [never]
    ? (...args: [...WireArguments<D>, ...ParamArguments<D>]) => NodeHandle<D>
    : {
        (...args: [...WireArguments<D>, ...ParamArguments<D>]): NodeHandle<D>
        (...args: [...WireArguments<D>, main: MainValueOf<D['params']>]): NodeHandle<D>
      }

/** The output that stands for the node itself: the one named by `main`, or the only one. */
type MainPort<D extends NodeDefinition> =
  D extends { readonly main: infer M extends string } ? M : IsUnion<keyof D['outputs']> extends true ? never : keyof D['outputs'] & string

type Output<D extends NodeDefinition, P extends keyof D['outputs']> = OutputRef<KindOf<D['outputs'][P]['media']>>

/** Result of a node call: a property per output port; usable as an input itself when there is a main output. */
export type NodeHandle<D extends NodeDefinition = NodeDefinition> =
  AnyHandle
  & { readonly [P in keyof D['outputs'] & string]: Output<D, P> }
  & ([MainPort<D>] extends [never] ? unknown : Output<D, MainPort<D>>)

/** A node type as a function. Calling it adds nothing to any engine: a graph is plain data (GR-23). */
export type NodeFactory<D extends NodeDefinition = NodeDefinition> = Calls<D> & FactoryFacts<D>
/** What a factory carries beside its calls. */
export interface FactoryFacts<D extends NodeDefinition> {
  readonly definition: D
  /** The same node type with settings for the nodes it makes: tier, place, mode, policy, id. */
  with(settings: NodeSettings): NodeFactory<D>
  /** The same node type, making a node of this id. */
  named(id: string): NodeFactory<D>
}
/** Any factory, its types forgotten: what registries and suites take. */
export interface AnyNode { readonly definition: NodeDefinition }
