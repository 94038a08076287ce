import type { MediaPage } from './services/media.ts'
import type { MediaRow } from './sources/media-row.ts'

/** What resolvers hand on as a `Media`. */
export type MediaModel = MediaRow

/** What resolvers hand on as a page; its `totalCount` is counted only when asked for. */
export type MediaConnectionModel = MediaPage

/** What the gateway hands over of a project. */
export interface ProjectModel {
  readonly id: string
}
