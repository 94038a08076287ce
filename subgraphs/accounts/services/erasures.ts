import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import type { ErasureSource } from '../sources/erasures.ts'
import type { RevocationEcho } from './revocation-echo.ts'

/** How many deleted users a subgraph is told of at once. */
const batch = 100

/** The end of accounts, and the erasing of what the subgraphs have of them. */
export function erasureService(actor: Actor | null, source: ErasureSource, echo: RevocationEcho) {
  return {
    /**
     * Deletes the caller's account. When this returns no credential of it works any more, in no process.
     * @param confirm the caller's own id, so that nothing is lost by a slip
     * @returns the id that was the user's
     * @throws AppError `permission_denied` for API keys, `invalid_parameter` for another `confirm`, `invalid_token` when the user
     *   is gone already
     */
    async deleteAccount(confirm: string): Promise<string> {
      const { id, method } = requireActor(actor)
      if (method === 'api_key')
        throw new AppError('permission_denied', 'An API key can’t delete its user: send an access token.')
      if (confirm !== id)
        throw new AppError(
          'invalid_parameter',
          'confirm must be the id of the account that is to be deleted.',
          {
            param: 'confirm',
          },
        )
      const ended = await echo.after(
        `user:${id}`,
        () => source.request(id),
        (done) => done,
      )
      if (!ended) throw new AppError('invalid_token', 'The user of this credential does not exist any more.')
      return id
    },

    pending: (subgraph: string) => source.pending(subgraph, batch),

    async confirm(subgraph: string, userIds: readonly string[]): Promise<number> {
      await source.confirm(subgraph, userIds)
      return userIds.length
    },
  }
}

/** The service of one request. */
export type ErasureService = ReturnType<typeof erasureService>
