import type { KindOf, MediaKind } from '../media/media-type.js'
import type { InputDeclaration, NodeDefinition } from './node-definition.js'
import type { Signature } from './signature.js'
import type { NodeSettings } from './node-settings.js'
import type { AnyHandle, OutputRef } from './output-ref.js'
import type { MainValueOf, ParamsOf, RequiredNames } from './param-types.js'

/** Distributes over the kinds: an output fits when it may carry at least one of them. */
type Accepting<K extends MediaKind> = K extends MediaKind ? OutputRef<K> : never

/** What may be wired into a port: one output, or a list when the port is `multi`. */
export type InputArgument<I extends InputDeclaration> =
  I extends { readonly multi: true }
    ? Accepting<KindOf<I['media']>> | readonly Accepting<KindOf<I['media']>>[]
    : Accepting<KindOf<I['media']>>

/** True for a union of at least two members: tells a node with one port from one with several. */
type IsUnion<T, U = T> = [T] extends [never] ? false : T extends unknown ? ([U] extends [T] ? false : true) : false

type Inputs<D extends Signature> = D['inputs']
type InputNames<D extends Signature> = keyof D['inputs'] & string
type OptionalInputs<D extends Signature> =
  { [P in InputNames<D>]: Inputs<D>[P] extends { readonly optional: true } ? P : never }[InputNames<D>]

/** Inputs by name, for nodes with several: exact per port. */
export type NamedInputs<D extends Signature> =
  { readonly [P in Exclude<InputNames<D>, OptionalInputs<D>>]: InputArgument<Inputs<D>[P]> }
  & { readonly [P in OptionalInputs<D>]?: InputArgument<Inputs<D>[P]> | undefined }

/**
 * Any of the node's inputs: a type knows the names of ports but not their order, so several inputs in order are
 * checked by kind here, by port at run time.
 */
type AnyInput<D extends Signature> = { [P in InputNames<D>]: InputArgument<Inputs<D>[P]> }[InputNames<D>]

/** Wires of a call: none, one exactly typed, or several in order or by name. */
type WireArguments<D extends Signature> =
  [InputNames<D>] extends [never] ? []
    : IsUnion<InputNames<D>> extends true ? [NamedInputs<D>] | [AnyInput<D>, ...(AnyInput<D> | undefined)[]]
      : [OptionalInputs<D>] extends [never] ? [input: InputArgument<Inputs<D>[InputNames<D>]>]
        : [] | [input: InputArgument<Inputs<D>[InputNames<D>]> | undefined]

/** What may drive a param depends on who reads it: compiled code, frame by frame, or a function. */
type HasKernel<D extends Signature> = D['kernel']

/** The params object: declared params, and any others where the type takes them. */
type GivenParams<D extends Signature> =
  D extends { readonly open: true }
    ? Readonly<Record<string, unknown>> & ([keyof D['params']] extends [never] ? unknown : ParamsOf<D['params'], HasKernel<D>>)
    : ParamsOf<D['params'], HasKernel<D>>

/** The params argument may be left out when no param is required. */
type ParamArguments<D extends Signature> =
  [RequiredNames<D['params']>] extends [never] ? [params?: GivenParams<D>] : [params: GivenParams<D>]

/**
 * Calls of a node: inputs in order, then params; with a main param its value alone may stand in place of the params. The kinds of the
 * result stand without a name of their own, so that declarations show the kinds and not what they came from.
 */
type Calls<D extends Signature> =
  [MainValueOf<D['params']>] extends [never]
    ? (
      ...args: [...WireArguments<D>, ...ParamArguments<D>]
    ) => NodeHandle<{ readonly [Q in keyof D['outputs'] & string]: KindOf<D['outputs'][Q]['media']> }, MainPort<D>>
    : {
        (
          ...args: [...WireArguments<D>, ...ParamArguments<D>]
        ): NodeHandle<{ readonly [Q in keyof D['outputs'] & string]: KindOf<D['outputs'][Q]['media']> }, MainPort<D>>
        (
          ...args: [...WireArguments<D>, main: MainValueOf<D['params']>]
        ): NodeHandle<{ readonly [Q in keyof D['outputs'] & string]: KindOf<D['outputs'][Q]['media']> }, MainPort<D>>
      }

/** The output that stands for the node itself: the one named by `main`, or the only one. */
type MainPort<D extends Signature> =
  D['main'] extends keyof D['outputs'] & string ? D['main'] : IsUnion<keyof D['outputs']> extends true ? never : keyof D['outputs'] & string

/**
 * Result of a node call: a property per output port with the media kinds `K` that it may carry; usable as an
 * input itself when there is a main output `M`.
 */
export type NodeHandle<K extends Readonly<Record<string, MediaKind>> = Readonly<Record<string, MediaKind>>, M extends keyof K = never> =
  AnyHandle
  & { readonly [P in keyof K]: OutputRef<K[P]> }
  & ([M] extends [never] ? unknown : OutputRef<K[M]>)

/** A node type as a function. Calling it adds nothing to any engine: a graph is plain data (GR-23). */
export type NodeFactory<D extends Signature = Signature> = Calls<D> & FactoryFacts<D>
/** What a factory carries beside its calls. */
export interface FactoryFacts<D extends Signature> {
  readonly definition: Omit<NodeDefinition, 'inputs' | 'outputs' | 'params'> & Pick<D, 'inputs' | 'outputs' | 'params'>
  /** The same node type with settings for the nodes it makes: tier, place, mode, policy, id. */
  with(settings: NodeSettings): NodeFactory<D>
  /** The same node type, making a node of this id. */
  named(id: string): NodeFactory<D>
}
/** Any factory, its types forgotten: what registries and suites take. */
export interface AnyNode { readonly definition: NodeDefinition }
