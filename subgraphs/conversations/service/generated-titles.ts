import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { titleFromText } from '../content/title.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { ClaimTitleInput, GeneratedTitleInput } from '../schema.generated.ts'
import { claimTitle, setTitle } from '../sources/generated-titles.ts'
import { connection } from '../sources/transaction.ts'

/** How titles that a model makes come into conversations (contract 2.4). */
export function generatedTitleService({
  actor,
  database,
  changes,
}: {
  actor: Actor | null
  database: SubgraphDatabase
  changes: Pick<ChangePublisher, 'tell'>
}) {
  const owner = () => requireActor(actor).id
  return {
    /** False where a person chose the title, where somebody else makes this one, and where there is no such conversation. */
    claim: ({ conversationId, userMessages }: ClaimTitleInput): Promise<boolean> =>
      claimTitle(connection(database), owner(), conversationId, userMessages),

    /** Cleaned as every title is. False where a person has chosen one meanwhile, where it is the one that there is, and where nothing readable is left. */
    async set({ conversationId, title }: GeneratedTitleInput): Promise<boolean> {
      const ownerId = owner()
      const cleaned = titleFromText(title)
      if (cleaned === null || !(await setTitle(connection(database), ownerId, conversationId, cleaned)))
        return false
      changes.tell({ ownerId, conversationId, kind: 'UPDATED', items: [] })
      return true
    },
  }
}

/** The service of one request. */
export type GeneratedTitleService = ReturnType<typeof generatedTitleService>
