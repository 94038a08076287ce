/** Where a page begins, as the arguments of a connection field. */
export interface PageStart {
  readonly first: number
  /** The cursor of the last object that was seen; null at the beginning. */
  readonly after: string | null
}

/** A page of a connection, as operations select it. */
export interface KeysetPage<Node> {
  readonly nodes: readonly Node[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

/**
 * All objects of a list, holding one page of them: the next page is read when all of the last one has been taken.
 * @param readPage null is a list that is not there, or not any more: the walk ends
 */
export async function* keysetWalk<Node>(
  size: number,
  readPage: (start: PageStart) => Promise<KeysetPage<Node> | null>,
): AsyncGenerator<Node, void> {
  let after: string | null = null
  for (;;) {
    const page: KeysetPage<Node> | null = await readPage({ first: size, after })
    if (page === null) return
    yield* page.nodes
    if (!page.pageInfo.hasNextPage) return
    after = page.pageInfo.endCursor
  }
}
