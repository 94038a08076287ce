import { type Block, plainText } from './blocks.ts'

/** As much of a message as is searched. */
const maxCharacters = 20_000

/** The text of a message as it is searched and shown: what PostgreSQL can't store is left out. */
export function searchableText(content: readonly Block[]): string {
  return storable(plainText(content).slice(0, maxCharacters))
}

/** The same as PostgreSQL's parser is to read it, which takes what stands in angle brackets for mark-up, and passes over it. */
export function indexedText(content: readonly Block[]): string {
  return withoutBrackets(searchableText(content))
}

/** Spaces for the brackets of `Array<string>`, `</b>` and `<br/>`: what is in them are words of code that somebody shows. */
function withoutBrackets(text: string): string {
  return text.replace(/<\/?|\/?>/g, ' ')
}

/** Where an address begins: the parser of queries does not know it, and that of texts passes over it. */
const scheme = /\b[a-z][a-z0-9+.-]*:\/\//gi

/** A text without U+0000 and half surrogate pairs. */
function storable(text: string): string {
  return text.replaceAll('\u0000', ' ').toWellFormed()
}

/** What somebody searches for. */
export interface SearchTerms {
  /** In the notation of `websearch_to_tsquery`. */
  readonly text: string
  /** The last word, when it may still be being typed: words that begin so are found too. `text` then lacks it. */
  readonly prefix: string | null
  /** Some of the words of `text` that are to be found, none that is to be missing. */
  readonly words: readonly string[]
  /** Not all of the words have to be found. */
  readonly isChoice: boolean
}

/** So many words tell whether a search has a rare one; the longest, for those are the rarest. */
const mostWords = 4

/** The words of a search that count. How near to one another they stand is found out for all at once, in time by more than their square. */
const mostSearched = 16

const minPrefixLength = 3
const lastWord = /^(.*?)([\p{L}\p{N}][\p{L}\p{M}\p{N}]*)$/su

/** Takes the last word for the beginning of one, unless it is quoted, excluded, short, or part of a choice. */
export function searchTerms(asked: string): SearchTerms {
  const given = firstWords(withoutBrackets(asked.replace(scheme, '')))
  const [, head = '', word = ''] = lastWord.exec(given) ?? []
  const isOpen = word.length >= minPrefixLength && /(^|\s)$/.test(head)
  const isQuoted = (head.split('"').length - 1) % 2 === 1
  const isChoice = /\bor\b/i.test(given)
  const [text, prefix] = !isOpen || isQuoted || isChoice ? [given, null] : [head, word]
  return { text, prefix, words: wantedWords(text), isChoice }
}

function firstWords(text: string): string {
  const next = [...text.matchAll(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu)].at(mostSearched)
  return next ? text.slice(0, next.index).trimEnd() : text
}

function wantedWords(text: string): string[] {
  const wanted = text.replace(/(^|\s)-("[^"]*"?|\S+)/g, ' ').match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu) ?? []
  return wanted.toSorted((one, other) => other.length - one.length).slice(0, mostWords)
}

/** How much of a text is looked through for its snippet, and how much of that stands before the first word that was found. */
const excerptLength = 320
const excerptLead = 100

/** The piece of a text around the first of the words that it has; short texts whole. */
export function excerpt(text: string, searched: string): string {
  if (text.length <= excerptLength) return text
  const folded = foldedText(text)
  const words = foldedText(searched).match(/[\p{L}\p{N}]+/gu) ?? []
  const places = words.map((word) => folded.indexOf(word)).filter((place) => place >= 0)
  const first = places.length > 0 ? Math.min(...places) : 0
  const start = wordBoundary(text, Math.max(0, first - excerptLead))
  return text.slice(start, start + excerptLength).toWellFormed()
}

function wordBoundary(text: string, from: number): number {
  if (from === 0) return 0
  const space = text.indexOf(' ', from)
  return space >= 0 && space - from < excerptLead / 2 ? space + 1 : from
}

/** Lower case without accents, each character in its place. */
function foldedText(text: string): string {
  return text.replace(/\P{ASCII}/gu, (character) => foldedCharacter(character)).toLowerCase()
}

function foldedCharacter(character: string): string {
  const folded = character.normalize('NFD').toLowerCase()
  return character.length === 1 ? folded.charAt(0) : character
}
