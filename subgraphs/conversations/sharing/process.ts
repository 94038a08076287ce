import type { SubgraphServices } from '../../../platform/subgraph.ts'
import type { ConversationsSettings } from '../config.ts'
import { type ShareViews, shareViews } from './share-views.ts'
import { type PublicShareSource, publicShareSource } from './sources/public-shares.ts'

/** The part of sharing that lives as long as the process: its switch, its links, the views that are yet to be written. */
export interface SharingProcess {
  readonly isEnabled: boolean
  readonly links: PublicShareSource
  readonly views: ShareViews
  /** The public URL of a share (contract 2.11). */
  linkOf(slug: string): string
  stop(): Promise<void>
}

export function startSharing({
  database,
  log,
  publicUrl,
  settings,
}: SubgraphServices<ConversationsSettings>): SharingProcess {
  const links = publicShareSource(database)
  const views = shareViews(links, log)
  return {
    isEnabled: settings.CONVERSATION_SHARING_ENABLED,
    links,
    views,
    linkOf: (slug) => `${publicUrl}/v1/public/shares/${slug}`,
    stop: () => views.flush(),
  }
}
