/** Counts tokens as one model does, or about as it does. Never rejects. */
export interface TokenCounter {
  /** The tokens of each text. Counting ends where their sum is over `enough`: from there on they are infinitely many. */
  count(texts: readonly string[], enough: number): Promise<readonly number[]>
  /** How much of each text's beginning fits into so many tokens, in UTF-16 units; no character is cut in two. */
  fit(wanted: readonly WantedText[]): Promise<readonly number[]>
}

/** A text that may have so many tokens. */
export interface WantedText {
  readonly text: string
  readonly tokens: number
}

/** A counter that goes by bytes alone. */
export function byteCounter(tokensPerByte: number): TokenCounter {
  return {
    async count(texts, enough) {
      let sum = 0
      return texts.map((text) => {
        if (sum > enough) return Number.POSITIVE_INFINITY
        const tokens = Math.ceil(Buffer.byteLength(text) * tokensPerByte)
        sum += tokens
        return tokens
      })
    },
    async fit(wanted) {
      return wanted.map(({ text, tokens }) => bytesPrefix(text, Math.floor(tokens / tokensPerByte)))
    },
  }
}

const encoder = new TextEncoder()

/** How many UTF-16 units of a text's beginning have at most so many bytes in UTF-8. */
function bytesPrefix(text: string, bytes: number): number {
  if (bytes <= 0) return 0
  // no text of n units has fewer than n bytes
  const beginning = text.slice(0, bytes)
  return wholeCharacters(text, encoder.encodeInto(beginning, new Uint8Array(bytes)).read)
}

/** `length`, or one less where it would cut a surrogate pair in two. */
export function wholeCharacters(text: string, length: number): number {
  const cutsPair = isHighSurrogate(text.charCodeAt(length - 1)) && isLowSurrogate(text.charCodeAt(length))
  return cutsPair ? length - 1 : length
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff
