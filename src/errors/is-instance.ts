/**
 * True for an instance of a class (a Blob, a buffer, a stream), which JSON has no form for; false for a plain object
 * of any realm, and one without a prototype.
 */
export function isInstance(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype !== null && Object.getPrototypeOf(prototype) !== null
}
