import { requireActor } from '../../platform/actor.ts'
import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { OwnedRows } from '../../platform/owned-rows.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { type ForkService, forkService } from './branches/forks.ts'
import { type BranchService, branchService } from './branches/service.ts'
import type { ConversationMetrics } from './conversation-metrics.ts'
import type { ChangeHub } from './live/change-hub.ts'
import type { ChangePublisher } from './live/change-publisher.ts'
import { type LiveService, liveService } from './live/service.ts'
import { ownProjects } from './own-project.ts'
import { type RatingService, ratingService } from './reports/ratings.ts'
import { type ToolCallService, toolCallService } from './reports/tool-calls.ts'
import { type SearchService, searchService } from './search/service.ts'
import { type ConversationService, conversationService } from './service/conversations.ts'
import { type GeneratedTitleService, generatedTitleService } from './service/generated-titles.ts'
import { type ItemService, itemService } from './service/items.ts'
import { type TurnService, turnService } from './service/turns.ts'
import type { SharingProcess } from './sharing/process.ts'
import { type PublicLinks, publicLinks } from './sharing/public-links.ts'
import { type ShareService, shareService } from './sharing/service.ts'
import { shareLists } from './sharing/sources/share-lists.ts'
import { branchSource } from './sources/branches.ts'
import type { ConversationPages } from './sources/conversation-pages.ts'
import type { ConversationRow } from './sources/conversation-row.ts'
import { conversationSource } from './sources/conversations.ts'
import { itemSource } from './sources/items.ts'
import { mediaReferences } from './sources/media-references.ts'
import { mediaOfProjects } from './sources/project-media.ts'
import type { SettledKey } from './sources/settled-key.ts'
import type { HistorySource } from './sources/turn-history.ts'
import type { TurnStore } from './sources/turn-store.ts'

/** The scope of one request in this subgraph. */
export interface ConversationsContext extends SubgraphContext {
  readonly conversations: ConversationService
  readonly branches: BranchService
  readonly forks: ForkService
  readonly items: ItemService
  readonly ratings: RatingService
  readonly toolCalls: ToolCallService
  readonly search: SearchService
  readonly live: LiveService
  readonly turns: TurnService
  readonly generatedTitles: GeneratedTitleService
  readonly shares: ShareService
  readonly publicLinks: PublicLinks
  mediaReferences(ownerId: string, ids: readonly string[]): Promise<string[]>
  /** The media that the actor's conversations of each of these projects name, newest first. */
  mediaOfProjects(projectIds: readonly string[]): Promise<string[][]>
  /** The public URL of a share. */
  readonly linkOf: SharingProcess['linkOf']
}

/** What all requests of this process share. */
export interface SharedSources {
  readonly database: SubgraphDatabase
  readonly byId: OwnedRows<ConversationRow>
  readonly pages: ConversationPages
  readonly settled: SettledKey
  readonly histories: HistorySource
  readonly store: TurnStore
  readonly sharing: SharingProcess
  readonly hub: ChangeHub
  readonly changes: ChangePublisher
  readonly metrics: ConversationMetrics
  /** How many branches a conversation may have. */
  readonly maxBranches: number
}

export function conversationsContext(request: RequestContext, shared: SharedSources): ConversationsContext {
  const { actor } = request
  const { database, histories, store, sharing, hub, changes, metrics, maxBranches } = shared
  const conversations = conversationSource(shared)
  const items = itemSource(database)
  const branches = branchSource(database)
  const ownProject = ownProjects(request)
  const conversationRules = conversationService({ actor, database, conversations, changes, ownProject })
  return {
    request,
    conversations: conversationRules,
    mediaReferences: (ownerId, ids) => mediaReferences(database, ownerId, ids),
    mediaOfProjects: (projectIds) => mediaOfProjects(database, requireActor(actor).id, projectIds),
    branches: branchService({ actor, database, branches, conversations, changes, maxBranches }),
    forks: forkService({ actor, database, items, changes, maxBranches }),
    items: itemService({ actor, database, items, changes, maxBranches }),
    ratings: ratingService({ actor, database, items, changes }),
    toolCalls: toolCallService({ actor, database, items, changes }),
    search: searchService({ actor, database, conversations, items, ownProject }),
    live: liveService({ actor, signal: request.signal, hub, existing: conversationRules.existing }),
    turns: turnService({ actor, database, histories, store, changes, maxBranches }),
    generatedTitles: generatedTitleService({ actor, database, changes }),
    shares: metrics.shares(
      shareService({
        actor,
        database,
        conversations,
        items,
        lists: shareLists(database),
        isEnabled: sharing.isEnabled,
      }),
    ),
    publicLinks: metrics.links(publicLinks(sharing.links, sharing.views)),
    linkOf: sharing.linkOf,
    clearLoaders() {
      conversations.clearLoaders()
      items.clearLoaders()
      branches.clearLoaders()
    },
  }
}
