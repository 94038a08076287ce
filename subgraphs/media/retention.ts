import type { BackgroundScope } from '../../platform/subgraph.ts'
import { MediaReferencesDocument } from './operations.generated.ts'
import type { RetentionSource } from './sources/retention.ts'

/**
 * Removes media whose time is over and that no conversation of their owner's names; the others get another span of time.
 * Who dies half-way has only put off what it had taken.
 * @returns how many were removed
 */
export async function endRetention(
  source: RetentionSource,
  days: number,
  background: BackgroundScope,
): Promise<number> {
  let removed = 0
  for (let batch = await source.takeExpired(); batch; batch = await source.takeExpired()) {
    const { ownerId, ids } = batch
    const context = background.context()
    const { mediaReferences } = await context.graph.execute(
      MediaReferencesDocument,
      { ownerId, ids: [...ids] },
      context,
    )
    const named = new Set(mediaReferences)
    await source.keep(ownerId, [...named], days)
    removed += await source.remove(
      ownerId,
      ids.filter((id) => !named.has(id)),
    )
  }
  return removed
}
