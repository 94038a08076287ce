const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** JSON text to put in a field's place; null removes the field. */
export type FieldEdit = string | null

interface Field {
  readonly name: string
  /** The range of `"name": value`, without commas. */
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/**
 * Sets, replaces and removes top-level fields of a JSON object in its bytes; everything else keeps its exact bytes
 * (parse and stringify would lose large integers). Fields that are absent are added at the front. Every occurrence of
 * a repeated field is edited, and escaped names are recognised, so no second reading of the body is left for a
 * provider that takes the first of two. Gives the same buffer where nothing changes.
 *
 * `json` must be valid JSON whose top value is an object, as what `JSON.parse` has accepted.
 */
export function spliceFields(json: Buffer, edits: Readonly<Record<string, FieldEdit>>): Buffer {
  const fields = topLevelFields(json)
  const present = new Set(fields.map((field) => field.name))
  const added = Object.entries(edits).filter(([name, text]) => text !== null && !present.has(name))
  const changes = (field: Field) =>
    Object.hasOwn(edits, field.name) && !valueEquals(json, field, edits[field.name] ?? null)
  if (added.length === 0 && !fields.some(changes)) return json

  const kept = fields.filter((field) => !Object.hasOwn(edits, field.name) || edits[field.name] !== null)
  const pieces = [
    ...added.map(([name, text]) => Buffer.from(`${JSON.stringify(name)}:${text}`)),
    ...kept.map((field) =>
      changes(field) ? edited(json, field, edits[field.name] ?? '') : json.subarray(field.start, field.end),
    ),
  ]
  return Buffer.concat([Buffer.from('{'), ...withCommas(pieces), Buffer.from('}')])
}

/** The range of the value of the first top-level field `name`, whose name is written without escapes; null if there is none. */
export function findFieldValue(json: Buffer, name: string): { start: number; end: number } | null {
  for (const field of scanFields(json)) {
    if (field.name === name) return { start: field.valueStart, end: field.end }
  }
  return null
}

function topLevelFields(json: Buffer): Field[] {
  return [...scanFields(json)]
}

function* scanFields(json: Buffer): Generator<Field> {
  let at = skipSpace(json, 0)
  if (json[at] !== OPEN_BRACE) return
  at = skipSpace(json, at + 1)
  while (json[at] === QUOTE) {
    const nameEnd = stringEnd(json, at)
    const valueStart = skipSpace(json, skipSpace(json, nameEnd) + 1)
    const end = valueEnd(json, valueStart)
    yield { name: fieldName(json, at, nameEnd), start: at, valueStart, end }
    const next = skipSpace(json, end)
    if (json[next] !== COMMA) return
    at = skipSpace(json, next + 1)
  }
}

function fieldName(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start + 1, end - 1)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

function edited(json: Buffer, field: Field, text: string): Buffer {
  return Buffer.concat([json.subarray(field.start, field.valueStart), Buffer.from(text)])
}

function valueEquals(json: Buffer, field: Field, text: string | null): boolean {
  return text !== null && json.toString('utf8', field.valueStart, field.end) === text
}

function withCommas(pieces: Buffer[]): Buffer[] {
  return pieces.flatMap((piece, index) => (index === 0 ? [piece] : [Buffer.of(COMMA), piece]))
}

function skipSpace(json: Buffer, from: number): number {
  let at = from
  while (at < json.length && (json[at] as number) <= 0x20) at++
  return at
}

/** The offset after the string that opens at `open`. Long strings are skipped at the speed of `indexOf`. */
function stringEnd(json: Buffer, open: number): number {
  let quote = json.indexOf(QUOTE, open + 1)
  while (quote !== -1 && isEscaped(json, quote)) quote = json.indexOf(QUOTE, quote + 1)
  return quote === -1 ? json.length : quote + 1
}

function isEscaped(json: Buffer, at: number): boolean {
  let backslashes = 0
  while (json[at - 1 - backslashes] === BACKSLASH) backslashes++
  return backslashes % 2 === 1
}

function valueEnd(json: Buffer, start: number): number {
  const first = json[start]
  if (first === QUOTE) return stringEnd(json, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return containerEnd(json, start)
  let at = start
  while (at < json.length && !endsScalar(json[at] as number)) at++
  return at
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET
}

function containerEnd(json: Buffer, start: number): number {
  let depth = 0
  let at = start
  while (at < json.length) {
    const byte = json[at]
    if (byte === QUOTE) {
      at = stringEnd(json, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    at++
    if (depth === 0) return at
  }
  return at
}
