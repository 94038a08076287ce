import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

const decoders = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/**
 * The body that was meant, where a server encodes although it was asked not to. Decoding is lazy: no faster than it is read.
 * @throws Error for encodings that are not read, several at once among them
 */
export function decodedBody(wire: Readable, encoding: string | string[] | undefined): Readable {
  const name = String(encoding ?? 'identity')
    .trim()
    .toLowerCase()
  if (name === 'identity' || name === '') return wire
  const decoder = decoders.get(name)?.()
  if (!decoder) throw new Error(`the content encoding '${name}' is not read`)
  // The decoder fails with whatever the connection fails with: its reader is told.
  pipeline(wire, decoder, () => undefined)
  return decoder
}
