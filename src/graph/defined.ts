/** The object without fields whose value is `undefined`; `__proto__` is a field like any other. */
export function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const result = {}
  for (const name of Object.keys(fields)) {
    const value = fields[name as keyof T]
    if (value !== undefined) put(result, name, value)
  }
  return result
}

/** Sets a field of a fresh object; `__proto__` is a field like any other. */
export function put<T>(target: object, key: string, value: T): T {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else (target as Record<string, unknown>)[key] = value
  return value
}
