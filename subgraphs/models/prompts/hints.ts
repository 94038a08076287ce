import type { ChatPromptInput } from '../schema.generated.ts'

/** What a request says beside its messages of how its prompt shall be. */
export interface PromptHints {
  /** Whom the model shall speak as. */
  readonly persona: string | null
  /** What the model shall know from before. */
  readonly memory: readonly string[]
  /** The language that the user reads, as a BCP 47 tag. */
  readonly language: string | null
}

const maxPersonaLength = 500

/** What the REST adapter sends: headers and parameters as they came. Null where they say nothing. */
export function hintsFromHeaders(sent: unknown): PromptHints | null {
  if (typeof sent !== 'object' || sent === null) return null
  const { persona, memory, acceptLanguage } = sent as Readonly<Record<string, unknown>>
  return {
    persona: line(persona),
    memory: typeof memory === 'string' ? memory.split(';').flatMap((text) => line(text) ?? []) : [],
    language: typeof acceptLanguage === 'string' ? preferredLanguage(acceptLanguage) : null,
  }
}

/** What a GraphQL client sends. */
export function hintsFromInput({ persona, memory, language }: ChatPromptInput): PromptHints {
  return {
    persona: line(persona),
    memory: (memory ?? []).flatMap((text) => line(text) ?? []),
    language: language == null ? null : languageTag(language),
  }
}

/** One line without control characters and half characters, which providers refuse; null for an empty one. A persona is a hint: what is too long of it is left out. */
function line(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const text = value.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return text === '' ? null : text.slice(0, maxPersonaLength).toWellFormed()
}

/** The first of the languages with the highest weight (RFC 9110, 12.5.4); null where none is named. */
function preferredLanguage(header: string): string | null {
  const ranked = header.split(',').flatMap((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    const tag = languageTag(name)
    return tag === null ? [] : [{ tag, weight: weight === undefined ? 1 : Number(weight) }]
  })
  const known = ranked.filter(({ weight }) => weight > 0 && weight <= 1)
  return known.sort((one, other) => other.weight - one.weight)[0]?.tag ?? null
}

/** A language with, where they are told, its script and its region. */
function languageTag(name: string): string | null {
  return /^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?$/i.test(name) ? name : null
}
