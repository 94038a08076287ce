import { AppError } from './errors.ts'

/**
 * Hands chunks through, and holds their number of bytes against what was announced; null announces nothing.
 * @throws AppError `invalid_parameter` at the first byte too many, or at the end where some are missing
 */
export async function* exactly(
  chunks: AsyncIterable<Uint8Array>,
  size: number | null,
): AsyncGenerator<Uint8Array, void> {
  let passed = 0
  for await (const chunk of chunks) {
    passed += chunk.length
    if (size !== null && passed > size) throw wrongSize(size)
    yield chunk
  }
  if (size !== null && passed < size) throw wrongSize(size)
}

function wrongSize(size: number): AppError {
  return new AppError('invalid_parameter', `There should have been exactly ${size} bytes.`, { param: 'size' })
}
