/** JSON text in pieces that make one value when they are put together. */
export type JsonPieces = AsyncIterable<string>

/** A value that is read when its turn comes, as one piece. */
export async function* wholeOf(read: () => unknown): JsonPieces {
  yield JSON.stringify(await read())
}

/** An array whose elements are taken one at a time: the next when all of the last one has gone. */
export async function* arrayOf<Element>(
  elements: AsyncIterable<Element>,
  piecesOf: (element: Element) => JsonPieces,
): JsonPieces {
  let separator = '['
  for await (const element of elements) {
    yield separator
    yield* piecesOf(element)
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}

/** An object, its fields in the order in which they are given. */
export async function* objectOf(fields: Iterable<readonly [name: string, value: JsonPieces]>): JsonPieces {
  let separator = '{'
  for (const [name, value] of fields) {
    yield `${separator}${JSON.stringify(name)}:`
    yield* value
    separator = ','
  }
  yield separator === '{' ? '{}' : '}'
}

/** An object that is there already, with one more field. */
export function extended(object: object, name: string, value: JsonPieces): JsonPieces {
  const known = Object.entries(object).map(([key, own]) => [key, wholeOf(() => own)] as const)
  return objectOf([...known, [name, value]])
}
