import type { JsonObject } from '../providers/index.ts'

/**
 * The embeddings as they were asked for: some providers know only floats, others only base64. Gives the same list where
 * nothing has to change.
 */
export function encodeEmbeddings(
  data: readonly JsonObject[],
  format: 'float' | 'base64',
): readonly JsonObject[] {
  const encoded = data.map((entry) => {
    const { embedding } = entry
    if (format === 'base64' && Array.isArray(embedding)) return { ...entry, embedding: toBase64(embedding) }
    if (format === 'float' && typeof embedding === 'string')
      return { ...entry, embedding: toFloats(embedding) }
    return entry
  })
  return encoded.some((entry, at) => entry !== data[at]) ? encoded : data
}

/** Little-endian floats of 32 bits, as OpenAI's. */
function toBase64(vector: readonly unknown[]): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(Number(value), at * 4)
  return bytes.toString('base64')
}

function toFloats(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readFloatLE(at * 4))
}
