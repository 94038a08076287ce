import { AppError } from './errors.ts'

/** Arguments of every connection field, after the Relay specification, plus our `order` and `offset`. */
export interface PageArguments {
  readonly first?: number | null
  readonly after?: string | null
  readonly offset?: number | null
  readonly order?: 'ASC' | 'DESC' | null
}

/** A checked page request. */
export interface Page {
  /** 1 to 100. */
  readonly limit: number
  /** The public id of the last object seen; resolved to a key by the source, in the same statement. */
  readonly after: string | null
  readonly offset: number
  readonly descending: boolean
}

const defaultLimit = 20
const maximumLimit = 100

/**
 * Contract 8.3: 20 by default, over 100 becomes 100, newest first. `offset` wins over `after`.
 * @throws AppError `invalid_parameter` naming `limit` or `offset`
 */
export function toPage({ first, after, offset, order }: PageArguments): Page {
  const limit = first ?? defaultLimit
  if (limit < 1) throw new AppError('invalid_parameter', 'limit must be 1 or more.', { param: 'limit' })
  const skipped = offset ?? 0
  if (skipped < 0) throw new AppError('invalid_parameter', 'offset must be 0 or more.', { param: 'offset' })
  return {
    limit: Math.min(limit, maximumLimit),
    after: offset == null ? (after ?? null) : null,
    offset: skipped,
    descending: order !== 'ASC',
  }
}

/** The failure for an `after` that names no object of the caller's (contract 8.3). */
export function invalidCursor(after: string): AppError {
  return new AppError('invalid_cursor', `'${after.slice(0, 80)}' is not an object of this list.`, {
    param: 'after',
  })
}

/**
 * How many objects a list has, where a page of it tells: it holds the last of them, and how many lie before it is known.
 * Null: they have to be counted.
 * @param rows up to `limit + 1`, as for `toConnection`
 */
export function totalByPage(rows: readonly unknown[], { limit, after, offset }: Page): number | null {
  if (after !== null || rows.length > limit) return null
  return rows.length > 0 || offset === 0 ? offset + rows.length : null
}

/** A Relay connection over rows whose cursor is their public id. */
export interface Connection<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[]
  readonly nodes: Row[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

/**
 * Builds a connection from up to `limit + 1` rows: the extra one only tells that more follow.
 * @param idOf the public id, which is also the cursor
 */
export function toConnection<Row>(
  rows: readonly Row[],
  page: Page,
  idOf: (row: Row) => string,
): Connection<Row> {
  const nodes = rows.slice(0, page.limit)
  const edges = nodes.map((node) => ({ cursor: idOf(node), node }))
  return {
    edges,
    nodes,
    pageInfo: {
      hasNextPage: rows.length > page.limit,
      hasPreviousPage: page.after !== null || page.offset > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
