import { toAppError } from '../../platform/errors.ts'
import type { Metrics } from '../../platform/metrics/metrics.ts'
import type { ChangePublisher } from './live/change-publisher.ts'
import type { PublicLinks } from './sharing/public-links.ts'
import type { ShareService } from './sharing/service.ts'

/** What is counted of conversations and their shares (contract 8.12): each of these does what it is made of, and counts that. */
export interface ConversationMetrics {
  /** Whatever makes a conversation tells so, once. */
  changes(changes: ChangePublisher): ChangePublisher
  shares(shares: ShareService): ShareService
  links(links: PublicLinks): PublicLinks
}

export function conversationMetrics(metrics: Metrics): ConversationMetrics {
  const created = metrics.counter({
    name: 'jan_llm_api_conversations_created_total',
    help: 'Conversations that were made.',
    labels: [],
  })
  const shared = metrics.counter({
    name: 'jan_llm_api_shares_total',
    help: 'Shares that were made, of conversations and of single answers.',
    labels: ['scope'],
  })
  const opened = metrics.counter({
    name: 'jan_llm_api_public_share_requests_total',
    help: 'Links of shares that were followed.',
    labels: ['status'],
  })
  return {
    changes: (changes) => ({
      ...changes,
      tell(change) {
        if (change.kind === 'CREATED') created.add({})
        changes.tell(change)
      },
    }),
    shares: (shares) => ({
      ...shares,
      async shareConversation(input) {
        const share = await shares.shareConversation(input)
        shared.add({ scope: 'conversation' })
        return share
      },
      async shareItem(input) {
        const share = await shares.shareItem(input)
        shared.add({ scope: 'item' })
        return share
      },
    }),
    links: (links) => ({
      ...links,
      async open(slug) {
        try {
          const share = await links.open(slug)
          opened.add({ status: share ? 'found' : 'not_found' })
          return share
        } catch (error) {
          opened.add({ status: toAppError(error).status < 500 ? 'refused' : 'failed' })
          throw error
        }
      },
    }),
  }
}
