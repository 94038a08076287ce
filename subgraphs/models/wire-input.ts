/** The fields of a GraphQL input as the wire names them; `extra` goes beside them, and what is absent is left out. */
export function wireFields({ extra, ...input }: { readonly extra?: unknown }): Record<string, unknown> {
  const own = Object.entries(input).map(([name, value]) => [snakeCase(name), value])
  return withoutAbsent({ ...(isObject(extra) ? extra : {}), ...Object.fromEntries(own) })
}

/** The fields that have a value. */
export function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  )
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
