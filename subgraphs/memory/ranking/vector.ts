import { AppError } from '../../../platform/errors.ts'

const maxDimensions = 16_384

/**
 * A vector of length 1 from base64 of little-endian 32-bit floats.
 * @throws AppError `invalid_parameter` naming `param` for what is no vector, or has no direction
 */
export function unitVector(base64: string, param: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  const dimensions = bytes.length / 4
  if (!Number.isInteger(dimensions) || dimensions === 0 || dimensions > maxDimensions) throw notAVector(param)
  const vector = vectorOf(bytes)
  let squares = 0
  for (const value of vector) squares += value * value
  const length = Math.sqrt(squares)
  if (!Number.isFinite(length) || length === 0) throw notAVector(param)
  return vector.map((value) => value / length)
}

function notAVector(param: string): AppError {
  return new AppError('invalid_parameter', `${param} is not a vector of 32-bit floats.`, { param })
}

/** Little-endian bytes as numbers, in memory of their own. */
export function vectorOf(bytes: Buffer): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true))
}

/** The reverse of `vectorOf`. */
export function bytesOf(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(vector.length * 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  vector.forEach((value, at) => {
    view.setFloat32(at * 4, value, true)
  })
  return bytes
}

/** The cosine of two vectors of length 1; null where they have not the same number of dimensions. What points away is 0. */
export function similarityOf(one: Float32Array, other: Float32Array): number | null {
  if (one.length !== other.length) return null
  let sum = 0
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number)
  return Math.min(1, Math.max(0, sum))
}
