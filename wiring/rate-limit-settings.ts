import type { PlatformConfig } from '../platform/config.ts'
import type { RateLimitOptions } from '../rest-adapter/rate-limits/index.ts'

/** Contract 8.6: requests a minute of each tier. */
const tiers = { free: 10, starter: 60, pro: 600, enterprise: 6_000 } as const

/** Nothing is limited in development; production has the documented limits unless told otherwise. */
export function rateLimitSettings({
  ENVIRONMENT,
  RATE_LIMIT_PROFILE,
  RATE_LIMIT_TIER,
  GUEST_LOGINS_PER_HOUR,
}: PlatformConfig): Omit<RateLimitOptions, 'store'> {
  const production = ENVIRONMENT === 'production'
  return {
    profile: RATE_LIMIT_PROFILE ?? (production ? 'documented' : 'off'),
    tierPerMinute: tiers[RATE_LIMIT_TIER],
    guestLoginsPerHour: GUEST_LOGINS_PER_HOUR ?? (production ? 10 : 0),
  }
}
