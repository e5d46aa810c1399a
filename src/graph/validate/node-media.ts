import { linkableInputs } from '../driven-params.js'
import { graphErrors } from '../errors.js'
import { nearest } from '../nearest.js'
import { constraintDomain } from '../negotiate/constraints.js'
import { describeConstraint } from '../negotiate/describe.js'
import { revise } from '../negotiate/domain.js'
import { portsOf } from '../negotiate/node-ports.js'
import { escapePointer } from '../pointer.js'
import type { Context } from './context.js'

/** Stage 12: what nodes say of their own ports. The port must exist and its type must leave something of it. */
export function checkNodeMedia(c: Context): void {
  c.graph.nodes.forEach(({ id, media }, n) => {
    const definition = media === undefined ? undefined : c.sound(n)
    if (definition === undefined) return
    const ports = portsOf(definition), declared = { ...linkableInputs(definition), ...definition.outputs }
    for (const [name, constraint] of Object.entries(media!)) {
      const port = ports.find((one) => one.name === name), pointer = `${c.nodePointer(n)}/media/${escapePointer(name)}`
      if (port === undefined) {
        const names = ports.map((one) => one.name)
        c.report('nodes', n, graphErrors.PORT_NOT_FOUND.diagnostic({ node: id, port: name, ports: names, near: nearest(name, names) }, {
          node: id, port: name, pointer, expected: names, got: name,
        }))
      } else if (revise(port.own, constraintDomain(constraint)) === undefined) {
        const takes = describeConstraint(declared[name]!.media), gives = describeConstraint(constraint)
        c.report('nodes', n, graphErrors.NEGOTIATION_CONFLICT.diagnostic({
          from: `${id}.${name}`, to: `${id}.${name}`, field: 'media', gives, takes,
        }, { node: id, port: name, pointer, constraint: 'media', expected: takes, got: gives }))
      }
    }
  })
}
