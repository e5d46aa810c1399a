import { showList } from '../errors/show.js'
import type { ParamDeclaration } from './node-definition.js'

/** What a param allows, as text for hints, help and docs: `1 to 768000 Hz`, `low, medium or high`. */
export function rangeText(param: ParamDeclaration): string {
  switch (param.type) {
    case 'number': return `numbers${boundsText(param)}`
    case 'integer': return `integers${boundsText(param)}`
    case 'boolean': return 'true or false'
    case 'enum': return showList(param.values ?? [])
    case 'seed': return 'whole numbers from 0 to 18446744073709551615 (above 9007199254740991 as a string)'
    case 'vector': return `lists of numbers${boundsText(param)}${countText(param, 'entries')}`
    case 'array': return `arrays${countText(param, 'entries')}${param.items === undefined ? '' : ` of ${rangeText(param.items)}`}`
    case 'string': return `strings${countText({ minItems: param.minLength, maxItems: param.maxLength }, 'characters')}${param.pattern === undefined ? '' : ` matching ${param.pattern}`}`
    case 'color': return '#rgb, #rrggbb, #rrggbbaa or 3 to 4 numbers from 0 to 1'
    case 'file': return 'a path, an address, bytes or a stream of bytes'
    case 'json': return 'any JSON value'
    case 'object': return 'objects'
  }
}

function boundsText({ min, max, exclusiveMin, exclusiveMax, unit }: ParamDeclaration): string {
  const words: string[] = []
  if (min !== undefined && max !== undefined) words.push(`from ${min} to ${max}`)
  else if (min !== undefined) words.push(`from ${min}`)
  else if (max !== undefined) words.push(`up to ${max}`)
  if (exclusiveMin !== undefined) words.push(`above ${exclusiveMin}`)
  if (exclusiveMax !== undefined) words.push(`below ${exclusiveMax}`)
  if (words.length > 0 && unit !== undefined) words.push(unit)
  return words.length === 0 ? '' : ` ${words.join(' ')}`
}

function countText(
  { minItems, maxItems }: { readonly minItems?: number | undefined; readonly maxItems?: number | undefined },
  of: string,
): string {
  if (minItems !== undefined && maxItems !== undefined) {
    return ` of ${minItems === maxItems ? minItems : `${minItems} to ${maxItems}`} ${of}`
  }
  if (minItems !== undefined) return ` of at least ${minItems} ${of}`
  return maxItems === undefined ? '' : ` of at most ${maxItems} ${of}`
}
