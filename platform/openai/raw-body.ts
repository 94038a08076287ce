import { type AnswerNotes, notesOf } from './answer-notes.ts'

/** A JSON body as bytes: by reference in one process, as text between processes. Not to be written to. */
export class RawBody {
  readonly bytes: Buffer
  /** The same bytes, parsed and checked, where whoever made it had that at hand. */
  readonly parsed: unknown
  /** Of an answer that has something to tell beside its body. */
  readonly notes: AnswerNotes | undefined

  constructor(bytes: Buffer, parsed?: unknown, notes?: AnswerNotes) {
    this.bytes = bytes
    this.parsed = parsed
    this.notes = notes
  }

  toJSON(): string | { text: string; notes: AnswerNotes } {
    const text = this.bytes.toString()
    return this.notes ? { text, notes: this.notes } : text
  }
}

/** @throws TypeError for what is no body in either form, which is a fault of ours */
export function rawBodyOf(value: unknown): RawBody {
  if (value instanceof RawBody) return value
  if (typeof value === 'string') return new RawBody(Buffer.from(value))
  if (typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string')
    return new RawBody(Buffer.from(value.text), undefined, notesOf(value) ?? undefined)
  throw new TypeError('a raw body is neither bytes nor text')
}
