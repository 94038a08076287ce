/** How much there is. */
export interface DatasetSize {
  readonly conversations: number
  /** Every n-th is the owner's whose lists are measured; the others belong to many. */
  readonly ownersShare: number
  readonly itemsEach: number
}

/** A million conversations, a tenth of them one account's, of five messages each. `BENCH_CONVERSATIONS` makes it smaller. */
export const datasetSize: DatasetSize = {
  conversations: Number(process.env.BENCH_CONVERSATIONS ?? 1_000_000),
  ownersShare: 10,
  itemsEach: 5,
}

/** How many conversations the owner has. */
export const ownersConversations = datasetSize.conversations / datasetSize.ownersShare
