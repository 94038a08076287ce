/** A text that is nothing but a media's id, in the three spellings that the contract knows (section 6). Any case. */
const placeholder = /^(?:data:[\w.+-]+\/[\w.+-]+;(?:base64,)?)?(jan_[0-9a-z]{26})$/i
const longestPlaceholder = 200
/** The id that a text stands for; null where it stands for none. */
export function mediaIdIn(text: string): string | null {
  if (text.length > longestPlaceholder) return null
  return placeholder.exec(text)?.[1]?.toLowerCase() ?? null
}

/** What a body of 32 MB can hold; beyond it the value is not looked at. */
const deepest = 200

/** Every id that the texts of a value stand for, each once. */
export function mediaIdsIn(value: unknown): readonly string[] {
  const ids = new Set<string>()
  visit(value, 0, (text) => {
    const id = mediaIdIn(text)
    if (id) ids.add(id)
    return text
  })
  return [...ids]
}

/** The same value with other texts where ids stood; what `urlOf` does not know stays as it is. */
export function replaceMediaIds(value: unknown, urlOf: (id: string) => string | undefined): unknown {
  return visit(value, 0, (text) => {
    const id = mediaIdIn(text)
    return (id && urlOf(id)) ?? text
  })
}

function visit(value: unknown, depth: number, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null || depth > deepest) return value
  if (Array.isArray(value)) return value.map((entry) => visit(entry, depth + 1, change))
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, visit(entry, depth + 1, change)]),
  )
}
