import { type WantedText, wholeCharacters } from './token-counter.ts'

/** What an encoding of `gpt-tokenizer` does. Its `decode` is not used: it keeps half a character for the next call. */
export interface Encoding {
  encodeGenerator(text: string, options: { disallowedSpecial: Set<string> }): Iterable<number[]>
}

/** In a user's text `<|endoftext|>` is a text like any other. */
const plainText = { disallowedSpecial: new Set<string>() }

/**
 * Texts are counted in pieces of so many UTF-16 units: a single word of megabytes is left off early too, and an encoding
 * takes the square of a word's length.
 */
const pieceLength = 2_048
const longestWord = 256

/** Is called before each piece; what it throws ends the counting. */
export type BeforePiece = () => void
const goOn: BeforePiece = () => undefined

/** As `TokenCounter.count`. A long text without spaces may come out a token longer for each piece that it is cut into. */
export function countTokens(
  encoding: Encoding,
  texts: readonly string[],
  enough: number,
  beforePiece = goOn,
): number[] {
  let left = enough
  return texts.map((text) => {
    if (left < 0) return Number.POSITIVE_INFINITY
    const { tokens, length } = walk(encoding, text, left, beforePiece)
    const counted = length === text.length ? tokens : Number.POSITIVE_INFINITY
    left -= counted
    return counted
  })
}

/** As `TokenCounter.fit`. */
export function fitTexts(encoding: Encoding, wanted: readonly WantedText[], beforePiece = goOn): number[] {
  return wanted.map(({ text, tokens }) => {
    const { tokens: walked, length } = walk(encoding, text, tokens, beforePiece)
    if (length === text.length) return length
    const piece = text.slice(length, endOfPiece(text, length))
    return length + fittingBeginning(encoding, piece, tokens - walked)
  })
}

/** Goes through a text piece by piece, as far as whole pieces have at most so many tokens. */
function walk(
  encoding: Encoding,
  text: string,
  most: number,
  beforePiece: BeforePiece,
): { tokens: number; length: number } {
  let tokens = 0
  let length = 0
  while (length < text.length) {
    beforePiece()
    const end = endOfPiece(text, length)
    const inPiece = tokensUpTo(encoding, text.slice(length, end), most - tokens)
    if (inPiece === null) break
    tokens += inPiece
    length = end
  }
  return { tokens, length }
}

/** Before a space, where there is one: encodings cut words there too. */
function endOfPiece(text: string, from: number): number {
  const end = from + pieceLength
  if (end >= text.length) return text.length
  const space = text.slice(end - longestWord, end).lastIndexOf(' ')
  return space > 0 ? end - longestWord + space : wholeCharacters(text, end)
}

/** Null where there are more than `most`. */
function tokensUpTo(encoding: Encoding, piece: string, most: number): number | null {
  let tokens = 0
  for (const word of encoding.encodeGenerator(piece, plainText)) {
    tokens += word.length
    if (tokens > most) return null
  }
  return tokens
}

/** By halving: where tokens end, only the encoding knows. */
function fittingBeginning(encoding: Encoding, piece: string, tokens: number): number {
  let fits = 0
  let tooLong = piece.length
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2)
    if (tokensUpTo(encoding, piece.slice(0, wholeCharacters(piece, middle)), tokens) === null)
      tooLong = middle
    else fits = middle
  }
  return wholeCharacters(piece, fits)
}
