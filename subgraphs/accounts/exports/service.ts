import { type Actor, requireActor } from '../../../platform/actor.ts'
import {
  type Connection,
  invalidCursor,
  type PageArguments,
  toConnection,
  toPage,
} from '../../../platform/pagination.ts'
import { isStorable } from '../../../platform/text.ts'
import type { ExportSource, SessionRow, UsageRow } from './sources.ts'

/** What accounts keeps of the caller beside what the caller can see elsewhere. Nobody else's. */
export function exportService(actor: Actor | null, source: ExportSource) {
  return {
    /** @throws AppError `invalid_cursor`, `invalid_parameter` naming `limit` */
    async usagePage(start: Pick<PageArguments, 'first' | 'after'>): Promise<Connection<UsageRow>> {
      const { id } = requireActor(actor)
      const page = toPage({ ...start, order: 'ASC' })
      const { after } = page
      if (after !== null && !isStorable(after)) throw invalidCursor(after)
      const rows = await source.usage(id, page)
      if (rows.length === 0 && after !== null && !(await source.isUsage(id, after)))
        throw invalidCursor(after)
      return toConnection(rows, page, (row) => row.id)
    },

    sessions: (): Promise<SessionRow[]> => source.sessions(requireActor(actor).id),
  }
}

/** The service of one request. */
export type ExportService = ReturnType<typeof exportService>
