import type pg from 'pg'

/** A branch as its rows tell it. */
export interface BranchRows {
  readonly name: string
  readonly itemCount: number
  readonly isActive: boolean
  /** In the order of the rows. */
  readonly positions: readonly number[]
}

/** The branches of a conversation, oldest first, with the positions that they have. */
export async function branchRows(pool: pg.Pool, conversationId: string): Promise<BranchRows[]> {
  const { rows } = await pool.query<BranchRows>(
    `select b.name, b.item_count as "itemCount", b.key = c.active_branch_key as "isActive",
       coalesce((select json_agg(bi.position order by bi.position) from conversations.branch_item bi where bi.branch_key = b.key), '[]') as positions
     from conversations.branch b join conversations.conversation c on c.key = b.conversation_key
     where c.public_id = $1 order by b.key`,
    [conversationId],
  )
  return rows
}

/** What is wrong with the branches of a conversation; empty where all is well. */
export function faultsOf(branches: readonly BranchRows[]): string[] {
  const names = branches.map(({ name }) => name)
  const faults = branches.flatMap(({ name, itemCount, positions }) => {
    const expected = Array.from({ length: itemCount }, (_, at) => at + 1)
    return JSON.stringify(positions) === JSON.stringify(expected)
      ? []
      : [`${name}: ${itemCount} <> ${positions}`]
  })
  if (new Set(names).size < names.length) faults.push(`names collide: ${names}`)
  if (names.filter((name) => name === 'MAIN').length !== 1) faults.push(`not one MAIN: ${names}`)
  if (branches.filter(({ isActive }) => isActive).length !== 1) faults.push('not one active branch')
  return faults
}
