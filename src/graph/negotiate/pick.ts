import { defaultOf } from './constraints.js'
import { fieldAt, fieldName, FIELDS, withField, type Alternative, type Domain } from './domain.js'
import { isAny, onlyValue, preferred } from './field-domain.js'
import type { PortNetwork } from './port-network.js'

/** Other alternatives and values tried when a choice turns out to be impossible further on. */
const TRIES = 8

/**
 * Decides what a port carries: its first alternative, and per field the first value of a list, else the allowed value nearest to `near`
 * (what the other end of a converted edge gives), else nearest to the default. Open fields stay open; fields that nothing limits and that
 * have no default stay free. Every choice narrows the ports tied to this one before the next is made.
 */
export function pickPort(network: PortNetwork, port: number, near: Domain = null): void {
  const start = network.domain(port)
  if (start === null || network.settled.has(start)) return
  if (start.length > 1) {
    const preferredKind = near === null ? undefined : near[0]?.kind
    const ranked = [...start].sort((a, b) => Number(b.kind === preferredKind) - Number(a.kind === preferredKind))
    ranked.slice(0, TRIES).some((one) => network.assign(port, [one]))
  }
  const [one] = network.domain(port)!
  const wanted = near?.find((other) => other.kind === one!.kind)
  const length = Math.max(FIELDS[one!.kind].length, one!.fields.length)
  for (let at = 0; at < length; at++) pickField(network, port, at, wanted)
  const end = network.domain(port)!
  if (end.length === 1 && end[0]!.fields.every((field) => field.open || onlyValue(field) !== undefined)) network.settled.add(end)
}

function pickField(network: PortNetwork, port: number, at: number, near: Alternative | undefined): void {
  const one = network.domain(port)![0]!
  const field = fieldAt(one, at)
  if (field.open || onlyValue(field) !== undefined) return
  const wish = (near === undefined ? undefined : onlyValue(fieldAt(near, at))) ?? defaultOf(one.kind, fieldName(one.kind, at))
  if (isAny(field) && wish === undefined) return
  const choices = field.values === null ? [preferred(field, wish)] : field.values.slice(0, TRIES)
  choices.some((value) => value !== undefined && network.assign(port, [withField(one, at, network.only(value))]))
}
