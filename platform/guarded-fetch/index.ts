import type { AllowedHost } from './allowed-hosts.ts'
import { fetchGuarded } from './follow-redirects.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { type Resolve, resolveBySystem } from './judged-target.ts'

export type { AllowedHost } from './allowed-hosts.ts'
export type { GuardedFetch, GuardedRequest, GuardedResponse } from './guarded-fetch.ts'

/** What a guarded fetch is made with. */
export interface GuardedFetchOptions {
  /** What may be reached although it is not public: `OUTBOUND_ALLOW_HOSTS`. */
  readonly allowed: readonly AllowedHost[]
  /** In place of the system's resolver; for tests. */
  readonly resolve?: Resolve
}

/** The one way to URLs that users supply. It keeps no connection and has nothing to close. */
export function createGuardedFetch({
  allowed,
  resolve = resolveBySystem,
}: GuardedFetchOptions): GuardedFetch {
  return { fetch: (url, request) => fetchGuarded(url, request, { allowed, resolve }) }
}
