import { z } from 'zod'
import { ConfigError, duration, flag, httpUrl, integer, list, optionalFlag } from '../../platform/config.ts'

/** The settings of accounts (contract 8.11, areas Auth and Keys). Spans of time are in milliseconds. */
export const accountsConfig = z
  .object({
    BUILTIN_ISSUER: optionalFlag(),
    ACCESS_TOKEN_TTL: atLeast('300s', 1_000),
    REFRESH_TOKEN_TTL: atLeast('720h', 1_000),
    SIGNING_KEY_ROTATION: atLeast('30d', 1_000),
    OIDC_DISCOVERY_URL: httpUrl(),
    JWKS_URL: httpUrl(),
    ISSUER: z.string().optional(),
    ACCOUNT: z.string().default('account'),
    AUDIENCE: z.string().optional(),
    CLIENT: list(),
    OAUTH_CLIENT_ID: z.string().default('jan-client'),
    OAUTH_CLIENT_SECRET: z.string().optional(),
    OAUTH_REDIRECT_URI: httpUrl(),
    OAUTH_ALLOWED_REDIRECTS: origins(),
    SERVICE_API_KEY: z.string().min(32, 'should have at least 32 characters').optional(),
    JWKS_REFRESH_INTERVAL: atLeast('5m', 1_000),
    AUTH_CLOCK_SKEW: duration('60s'),
    API_KEY_PREFIX: z
      .string()
      .regex(/^sk_[A-Za-z0-9_]{1,32}$/, 'should begin with sk_ and go on with letters, digits and _')
      .default('sk_live'),
    API_KEY_DEFAULT_TTL: atLeast('2160h', 1_000),
    API_KEY_MAX_TTL: atLeast('2160h', 1_000),
    API_KEY_MAX_PER_USER: integer(5, { min: 1, max: 1_000 }),
    ADMIN_BYPASS: flag(false),
    JAN_ADMIN_API_KEY: z
      .string()
      .regex(
        /^sk_[A-Za-z0-9_-]{8,200}$/,
        'should begin with sk_ and go on with at least 8 letters, digits, _ or -',
      )
      .optional(),
  })
  .superRefine((settings, issues) => {
    if (settings.JWKS_URL && !settings.ISSUER && !settings.OIDC_DISCOVERY_URL) {
      issues.addIssue({ code: 'custom', path: ['ISSUER'], message: 'must be set together with JWKS_URL' })
    }
    if (settings.BUILTIN_ISSUER === false && !settings.JWKS_URL && !settings.OIDC_DISCOVERY_URL) {
      issues.addIssue({
        code: 'custom',
        path: ['BUILTIN_ISSUER'],
        message: 'can only be switched off when OIDC_DISCOVERY_URL or JWKS_URL is set',
      })
    }
  })

/** The settings, parsed. */
export type AccountsSettings = z.output<typeof accountsConfig>

/** @throws ConfigError when the administrators' gate would stand open in production */
export function assertGuardedProduction({ ADMIN_BYPASS }: AccountsSettings, environment: string): void {
  if (!ADMIN_BYPASS || environment !== 'production') return
  throw new ConfigError(
    'ADMIN_BYPASS: is for development alone; unset it, or set another ENVIRONMENT than production',
  )
}

/** Whether an external OIDC issuer is configured. */
export function hasExternalIssuer({ OIDC_DISCOVERY_URL, JWKS_URL }: AccountsSettings): boolean {
  return OIDC_DISCOVERY_URL !== undefined || JWKS_URL !== undefined
}

/** The built-in issuer is on unless an external one is configured; `BUILTIN_ISSUER` decides where it is set (contract 1.5). */
export function hasBuiltinIssuer(settings: AccountsSettings): boolean {
  return settings.BUILTIN_ISSUER ?? !hasExternalIssuer(settings)
}

/** @throws ConfigError when the external issuer would be taken for the built-in one */
export function assertDistinctIssuers(settings: AccountsSettings, publicUrl: string): void {
  if (!hasBuiltinIssuer(settings) || !hasExternalIssuer(settings) || settings.ISSUER !== publicUrl) return
  throw new ConfigError(
    'ISSUER: is our own PUBLIC_URL; the built-in issuer and the external one need different names',
  )
}

/** Origins such as `https://chat.example.com`, separated by commas. */
function origins() {
  return list().transform((entries, issues) =>
    entries.map((entry) => {
      const url = URL.parse(entry)
      if (/^https?:$/.test(url?.protocol ?? '') && url?.origin === entry.replace(/\/$/, '')) return url.origin
      issues.addIssue(`'${entry}' should be an origin such as https://chat.example.com`)
      return z.NEVER
    }),
  )
}

function atLeast(fallback: string, min: number) {
  return duration(fallback).refine((ms) => ms >= min, `should be at least ${min / 1000}s`)
}
