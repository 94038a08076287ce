import { Batches } from './batches.ts'

/** Reads rows of owners by their public ids. Lives as long as the process: what is asked for at the same time is read at once. */
export interface OwnedRows<Row> {
  /** In the order of the ids; null for what does not exist for that owner. */
  read(ownerId: string, ids: readonly string[]): Promise<(Row | null)[]>
}

/** A row and which of the wanted pairs, counted from 1, it answers. */
export type RowAt<Row> = Row & { readonly at: number }

/** Reads the rows of pairs of owners and ids, in any order, with one statement. */
export type ReadPairs<Row> = (owners: readonly string[], ids: readonly string[]) => Promise<RowAt<Row>[]>

interface RowsRequest {
  readonly key: null
  readonly size: number
  readonly ownerId: string
  readonly ids: readonly string[]
}

/** Rows from a disk are read beside others, not in front of them. */
const lanes = 4
/** Of the characters of a batch, for each row. */
const rowSize = 300

export function ownedRows<Row extends object>(readPairs: ReadPairs<Row>): OwnedRows<Row> {
  const together = async (requests: readonly RowsRequest[]): Promise<(Row | null)[][]> => {
    const owners = requests.flatMap(({ ownerId, ids }) => ids.map(() => ownerId))
    const wanted = requests.flatMap(({ ids }) => ids)
    const found: (Row | null)[] = wanted.map(() => null)
    for (const row of await readPairs(owners, wanted)) found[row.at - 1] = row
    let start = 0
    return requests.map(({ ids }) => {
      start += ids.length
      return found.slice(start - ids.length, start)
    })
  }
  const batches = new Batches<RowsRequest, (Row | null)[]>({
    together,
    alone: async (request) => (await together([request]))[0] ?? [],
    lanes,
  })
  return {
    read: (ownerId, ids) => batches.ask({ key: null, size: ids.length * rowSize, ownerId, ids }),
  }
}
