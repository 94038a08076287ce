/** A JSON body as bytes: by reference in one process, as text between processes. Not to be written to. */
export class RawBody {
  readonly bytes: Buffer
  /** The same bytes, parsed and checked, where whoever made it had that at hand. */
  readonly parsed: unknown

  constructor(bytes: Buffer, parsed?: unknown) {
    this.bytes = bytes
    this.parsed = parsed
  }

  toJSON(): string {
    return this.bytes.toString()
  }
}

/** @throws TypeError for what is no body in either form, which is a fault of ours */
export function rawBodyOf(value: unknown): RawBody {
  if (value instanceof RawBody) return value
  if (typeof value === 'string') return new RawBody(Buffer.from(value))
  throw new TypeError('a raw body is neither bytes nor text')
}
