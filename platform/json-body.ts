import { AppError } from './errors.ts'

/** The deepest nesting that a body may have; real requests stay under 20. */
export const maxJsonDepth = 64

/**
 * The most values that a body may have, objects and lists counted too. Real requests stay under 10,000; a kilobyte, compressed, may hold
 * millions, and to check or to refuse each of them takes the thread of all callers.
 */
export const maxJsonValues = 50_000

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/**
 * Parses a JSON body. The bytes are scanned first: a deep text parses well and then breaks every serialiser.
 * @throws AppError `invalid_json` for invalid UTF-8, malformed or too deeply nested JSON; `payload_too_large` for too many values
 */
export function parseJsonBody(bytes: Uint8Array, mostValues = maxJsonValues): unknown {
  assertBounded(bytes, mostValues)
  return parseText(decodeUtf8(bytes))
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new AppError('invalid_json', 'The body is not valid UTF-8.', { cause })
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AppError('invalid_json', 'The body is not valid JSON.', { cause })
  }
}

function assertBounded(bytes: Uint8Array, mostValues: number): void {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at)
    else if (byte === comma) values += 1
    else if (byte === openBrace || byte === openBracket) {
      depth += 1
      values += 1
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1
    if (depth > maxJsonDepth)
      throw new AppError('invalid_json', `The body is nested too deeply: at most ${maxJsonDepth} levels.`)
    if (values > mostValues)
      throw new AppError('payload_too_large', `The body has too many values: at most ${mostValues}.`)
  }
}

/** The index of the quote that closes the string which opens at `start`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}
