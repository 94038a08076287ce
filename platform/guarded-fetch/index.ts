import type { AllowedHost } from './allowed-hosts.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import type { Resolve } from './judged-target.ts'

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
export function createGuardedFetch({ allowed, resolve }: GuardedFetchOptions): GuardedFetch {
  return {
    async fetch(url, request) {
      // most processes never reach one
      const [{ fetchGuarded }, { resolveBySystem }] = await Promise.all([
        import('./follow-redirects.ts'),
        import('./judged-target.ts'),
      ])
      return fetchGuarded(url, request, { allowed, resolve: resolve ?? resolveBySystem })
    },
  }
}
