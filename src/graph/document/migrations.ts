import { isObject } from '../schema/fit-shape.js'

/** Major version of the format that this library reads and writes. */
export const MAJOR = 1

/** Makes a document of one major into one of the next; pure, and never throws for what a document may hold (GR-06). */
export type Migration = (document: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>

/**
 * Migrations by the major that they start from. Empty while there is but one major: a second one comes with the function from 1 to 2 here
 * and with a file in `test/graph/document/versions`. Within a major fields are only added, so that a newer writer's field is an unknown one
 * (GR-03).
 */
export const MIGRATIONS: ReadonlyMap<number, Migration> = new Map()

/** A document of an older major as one of this, step by step; any other value as it is, for the checks to refuse. */
export function migrateDocument(value: unknown, steps: ReadonlyMap<number, Migration> = MIGRATIONS, to: number = MAJOR): unknown {
  let document = value
  for (let major = majorOf(document); major !== undefined && major < to; major = majorOf(document)) {
    const step = steps.get(major)
    if (step === undefined) return document
    document = { ...step(document as Readonly<Record<string, unknown>>), millrace: major + 1 }
  }
  return document
}

/** Major of a version word: 1, `"1"`, `"1.2"`, `"1.2.3"`. */
function majorOf(value: unknown): number | undefined {
  const given = isObject(value) && Object.hasOwn(value, 'millrace') ? value['millrace'] : undefined
  const text = typeof given === 'number' || typeof given === 'string' ? /^(\d{1,6})(?:\.\d+){0,2}$/.exec(String(given)) : null
  return text === null || (typeof given === 'number' && !Number.isInteger(given)) ? undefined : Number(text[1])
}
