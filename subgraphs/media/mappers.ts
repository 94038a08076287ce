import type { Connection } from '../../platform/pagination.ts'
import type { MediaRow } from './sources/media-row.ts'

/** What resolvers hand on as a `Media`. */
export type MediaModel = MediaRow

/** What resolvers hand on as a page; its `totalCount` is counted only when asked for. */
export type MediaConnectionModel = Connection<MediaRow>
