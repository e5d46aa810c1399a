import type { PortRef } from './graph.js'

/** A port of a node as one text, for maps and sets. No id and no port name holds the character between them. */
export function portKey([node, port]: PortRef): string { return `${node}\u0000${port}` }
