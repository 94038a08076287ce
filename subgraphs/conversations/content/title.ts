import { AppError } from '../../../platform/errors.ts'
import { assertStorable, isLongerThan } from '../../../platform/text.ts'

/** Contract 3.1. */
const maxTitleLength = 256

/**
 * A title that a person gave, cleaned as contract 2.4 says.
 * @throws AppError `invalid_parameter` naming `title` when it is blank, too long, or nothing but links and symbols
 */
export function givenTitle(title: string): string {
  assertStorable(title, 'title')
  if (title.trim() === '') throw invalidTitle('title must not be empty.')
  assertShortEnough(title)
  const cleaned = cleanedTitle(title)
  // some characters are two or three in their normal form
  assertShortEnough(cleaned)
  if (cleaned === '') throw invalidTitle('title must be more than links, addresses and symbols.')
  return cleaned
}

/** Whether a title is one. Those that some clients create conversations with are none (contract 2.4). */
export function isTitle(title: string | null): title is string {
  return title !== null && title.trim().toLowerCase() !== 'new conversation'
}

/** The title that follows from the first thing that was said; null when nothing readable was. */
export function titleFromText(text: string): string | null {
  const cleaned = cleanedTitle(text.slice(0, 4 * maxTitleLength))
  return cleaned === '' ? null : shortened(cleaned)
}

const symbols = /[^\p{L}\p{M}\p{N}\s.,!?'-]+/gu
/** `and/or` is two words, `(v2)` is one. */
const symbolsInWord = /(?<=[\p{L}\p{N}])[^\p{L}\p{M}\p{N}\s.,!?'-]+(?=[\p{L}\p{N}])/gu

/** Before it is cleaned, too: that takes time by the square of its length. */
function assertShortEnough(title: string): void {
  if (isLongerThan(title, maxTitleLength))
    throw invalidTitle(`title is too long: at most ${maxTitleLength} characters.`)
}

/** Contract 2.4: no links, addresses, link targets or symbols; single spaces; no punctuation at the end. */
function cleanedTitle(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\b(?:https?|ftp):\/\/\S+|\bwww\.\S+/gi, ' ')
    .replace(/[^\s@]+@[^\s@]+\.[^\s@]+/g, ' ')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(symbolsInWord, ' ')
    .replace(symbols, '')
    .replace(/\s+/g, ' ')
    .replace(/[\s.,!?'-]+$/, '')
    .trim()
}

function shortened(title: string): string {
  if (title.length <= maxTitleLength) return title
  const room = title.slice(0, maxTitleLength - 3)
  const boundary = room.lastIndexOf(' ')
  const cut = boundary > 0 ? room.slice(0, boundary) : room.toWellFormed().replace(/\ufffd$/, '')
  return `${cut.replace(/[\s.,!?'-]+$/, '')}...`
}

function invalidTitle(message: string): AppError {
  return new AppError('invalid_parameter', message, { param: 'title' })
}
