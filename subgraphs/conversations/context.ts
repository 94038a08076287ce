import { requireActor } from '../../platform/actor.ts'
import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphDatabase } from '../../platform/db.ts'
import type { OwnedRows } from '../../platform/owned-rows.ts'
import { requestServices } from '../../platform/request-services.ts'
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

/** The services of one request. */
export function conversationsContext(request: RequestContext, shared: SharedSources): ConversationsContext {
  const { database, maxBranches, changes, sharing } = shared
  const { actor } = request
  return servicesOf({
    request,
    actor,
    shared,
    writing: { actor, database, changes, maxBranches },
    linkOf: sharing.linkOf,
    mediaReferences: (ownerId, ids) => mediaReferences(database, ownerId, ids),
    mediaOfProjects: (projectIds) => mediaOfProjects(database, requireActor(actor).id, projectIds),
    clearLoaders,
  })
}

interface Given
  extends SubgraphContext,
    Pick<ConversationsContext, 'linkOf' | 'mediaReferences' | 'mediaOfProjects'> {
  readonly actor: RequestContext['actor']
  readonly shared: SharedSources
  /** What every service that writes is made with. */
  readonly writing: Pick<RequestContext, 'actor'> &
    Pick<SharedSources, 'database' | 'changes' | 'maxBranches'>
}

/** What reads for one request, and remembers for it what it has read. */
interface Sources {
  readonly conversationRows: ReturnType<typeof conversationSource>
  readonly itemRows: ReturnType<typeof itemSource>
  readonly branchRows: ReturnType<typeof branchSource>
  readonly ownProject: ReturnType<typeof ownProjects>
}

function clearLoaders(this: Sources): void {
  this.conversationRows.clearLoaders()
  this.itemRows.clearLoaders()
  this.branchRows.clearLoaders()
}

const servicesOf = requestServices<Given, Sources & Omit<ConversationsContext, keyof Given>>({
  conversationRows: ({ shared }) => conversationSource(shared),
  itemRows: ({ shared }) => itemSource(shared.database),
  branchRows: ({ shared }) => branchSource(shared.database),
  ownProject: ({ request }) => ownProjects(request),
  conversations: ({ writing, conversationRows: conversations, ownProject }) =>
    conversationService({ ...writing, conversations, ownProject }),
  branches: ({ writing, conversationRows: conversations, branchRows: branches }) =>
    branchService({ ...writing, branches, conversations }),
  forks: ({ writing, itemRows: items }) => forkService({ ...writing, items }),
  items: ({ writing, itemRows: items }) => itemService({ ...writing, items }),
  ratings: ({ writing, itemRows: items }) => ratingService({ ...writing, items }),
  toolCalls: ({ writing, itemRows: items }) => toolCallService({ ...writing, items }),
  search: ({ writing: { actor, database }, conversationRows: conversations, itemRows: items, ownProject }) =>
    searchService({ actor, database, conversations, items, ownProject }),
  live: ({ request: { actor, signal }, shared: { hub }, conversations: { existing } }) =>
    liveService({ actor, signal, hub, existing }),
  turns: ({ writing, shared: { histories, store } }) => turnService({ ...writing, histories, store }),
  generatedTitles: ({ writing }) => generatedTitleService(writing),
  shares: ({ writing: { actor, database }, shared, conversationRows: conversations, itemRows: items }) =>
    shared.metrics.shares(
      shareService({
        actor,
        database,
        conversations,
        items,
        lists: shareLists(database),
        isEnabled: shared.sharing.isEnabled,
      }),
    ),
  publicLinks: ({ shared: { metrics, sharing } }) => metrics.links(publicLinks(sharing.links, sharing.views)),
})
