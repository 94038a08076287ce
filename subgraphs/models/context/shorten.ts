import { parseJsonBody } from '../../../platform/json-body.ts'
import type { JsonObject } from '../providers/index.ts'
import type { LimitedText } from './limited-texts.ts'
import { isObject } from './message-text.ts'
import { type TokenCounter, wholeCharacters } from './token-counter.ts'

/** What a text that was shortened ends with. */
export const textMarker = '\n[shortened]'
/** The same inside JSON. */
const valueMarker = '[shortened]'

/** The texts in place of those that are longer than they may be, by the text and its limit. The others are not in it. */
export async function shortenedTexts(
  texts: readonly LimitedText[],
  counter: TokenCounter,
): Promise<(limited: LimitedText) => string> {
  const fitting = await counter.fit(texts)
  const tooLong = texts.filter(({ text }, at) => (fitting[at] ?? 0) < text.length)
  const short = await Promise.all(
    tooLong.map((limited) => (limited.isJson ? shortJson(limited, counter) : shortText(limited, counter))),
  )
  const byKey = new Map(tooLong.map((limited, at) => [keyOf(limited), short[at] ?? '']))
  return (limited) => byKey.get(keyOf(limited)) ?? limited.text
}

function keyOf({ text, tokens, isJson }: LimitedText): string {
  return `${tokens} ${isJson} ${text}`
}

async function shortText({ text, tokens }: LimitedText, counter: TokenCounter): Promise<string> {
  const room = tokens - Buffer.byteLength(textMarker)
  const [length = 0] = await counter.fit([{ text, tokens: room }])
  return text.slice(0, wholeCharacters(text, length)) + textMarker
}

/** How often a shorter JSON is tried. */
const attempts = 6

/** Arguments as they were, but for strings that are cut; where that does not help, their beginning as one string. */
async function shortJson({ text, tokens }: LimitedText, counter: TokenCounter): Promise<string> {
  const [fitting = 0] = await counter.fit([{ text, tokens }])
  const value = readable(text)
  let room = fitting
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const json = value === undefined ? null : withShorterStrings(value, room)
    const shorter =
      json ?? JSON.stringify({ shortened: text.slice(0, wholeCharacters(text, Math.floor(room / 2))) })
    const [length = 0] = await counter.fit([{ text: shorter, tokens }])
    if (length === shorter.length) return shorter
    room = Math.floor(room / 2)
  }
  return '{}'
}

/** Undefined for what is no JSON, or nested more deeply than any serialiser takes. */
function readable(text: string): unknown {
  try {
    return parseJsonBody(Buffer.from(text))
  } catch {
    // The model wrote no JSON: its beginning is told as a string.
    return undefined
  }
}

/** JSON of at most so many UTF-16 units in which no string is longer than it must be; null where strings are not what makes it long. */
function withShorterStrings(value: unknown, room: number): string | null {
  // what does not fit with the shortest strings is found out once, and by looking at no more of it than would fit
  if (leastLength(value, 1, room) > room) return null
  for (let longest = room; longest >= 1; longest = Math.floor(longest / 2)) {
    if (leastLength(value, longest, room) > room) continue
    const json = JSON.stringify(cutStrings(value, longest))
    if (json.length <= room) return json
  }
  return null
}

/** The JSON of a value with strings cut is no shorter than this; counted no further than just beyond `most`. */
function leastLength(value: unknown, longest: number, most: number): number {
  if (typeof value === 'string') return Math.min(value.length, longest + valueMarker.length) + 2
  if (typeof value !== 'object' || value === null) return 1
  // each element has a bracket or a comma before it
  let length = 1
  const add = (key: string | null, inner: unknown): boolean => {
    length += (key === null ? 1 : key.length + 4) + leastLength(inner, longest, most - length)
    return length <= most
  }
  if (Array.isArray(value)) value.every((inner) => add(null, inner))
  else for (const key in value) if (!add(key, (value as JsonObject)[key])) break
  return Math.max(length, 2)
}

function cutStrings(value: unknown, longest: number): unknown {
  if (typeof value === 'string') {
    if (value.length <= longest + valueMarker.length) return value
    return value.slice(0, wholeCharacters(value, longest)) + valueMarker
  }
  if (Array.isArray(value)) return value.map((element) => cutStrings(element, longest))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutStrings(inner, longest)]))
}
