import { AppError } from '../../../platform/errors.ts'
import type { ShareViews } from './share-views.ts'
import type { Snapshot } from './snapshot.ts'
import type { LinkedShare, PublicShareSource } from './sources/public-shares.ts'

/** What was shared, with the title that stands at its share. */
export interface SharedConversation extends Snapshot {
  readonly title: string
}

/** What whoever has a link may read. Nobody needs to have signed in. */
export interface PublicLinks {
  /** Null when there is no such link. @throws AppError `share_revoked`, `share_expired` */
  open(slug: string): Promise<LinkedShare | null>
  /** Reads the snapshot, and counts that. @throws AppError `share_revoked`; `max_items_exceeded` for a second one */
  read(share: LinkedShare): Promise<SharedConversation>
}

/** The links of one request. */
export function publicLinks(shares: PublicShareSource, views: ShareViews): PublicLinks {
  let hasRead = false
  return {
    async open(slug) {
      const share = await shares.bySlug(slug)
      if (share?.isRevoked) throw revoked()
      if (share?.isExpired) throw new AppError('share_expired', 'This link has ended.')
      return share
    },

    async read({ key, title }) {
      // strangers may not have one request answered with a hundred snapshots of 10 MB
      if (hasRead)
        throw new AppError('max_items_exceeded', 'One operation may read one snapshot.', {
          param: 'snapshot',
        })
      hasRead = true
      const snapshot = await shares.snapshot(key)
      if (!snapshot) throw revoked()
      views.note(key)
      return { title, ...snapshot }
    },
  }
}

function revoked(): AppError {
  return new AppError('share_revoked', 'This link has been revoked.')
}
