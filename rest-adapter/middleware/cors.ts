import cors from 'cors'
import type { RequestHandler } from 'express'

const exposedHeaders = [
  'X-Request-Id',
  'X-Auth-Method',
  'X-Gateway-Auth',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-RateLimit-Limit-minute',
  'X-RateLimit-Remaining-minute',
  'Retry-After',
  'X-Applied-Prompt-Modules',
  'Idempotent-Replayed',
  'Content-Disposition',
]
const allowedHeaders = [
  'Authorization',
  'X-API-Key',
  'apikey',
  'Content-Type',
  'Accept',
  'X-Request-Id',
  'Idempotency-Key',
  'traceparent',
  'Mcp-Session-Id',
  'mcp-protocol-version',
  'X-Conversation-ID',
  'X-Tool-Call-ID',
  'X-PROVIDER-DATA',
  'X-Prompt-Persona',
  'X-Prompt-Memory',
  'X-Media-Service-Key',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'apollographql-client-name',
  'apollographql-client-version',
  // what OpenAI's SDK sends by itself, in a page too
  'OpenAI-Organization',
  'OpenAI-Project',
  'OpenAI-Beta',
  'X-Stainless-Arch',
  'X-Stainless-Lang',
  'X-Stainless-OS',
  'X-Stainless-Package-Version',
  'X-Stainless-Runtime',
  'X-Stainless-Runtime-Version',
  'X-Stainless-Retry-Count',
  'X-Stainless-Timeout',
  'X-Stainless-Helper-Method',
  'X-Stainless-Poll-Helper',
  'X-Stainless-Custom-Poll-Interval',
]
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const localOrigin = /^http:\/\/(localhost|127\.0\.0\.1)(:(3000|3001|8080))?$/
const hostedSandbox = 'https://studio.apollographql.com'
const embeddedSandbox = 'https://sandbox.embed.apollographql.com'

/** Paths that any page may read, without credentials. */
const openPaths =
  /^\/(((llm|v1|llm\/v1|mcp|media|responses?)\/)?(healthz|readyz)|healthcheck|api\/swagger|api\/media|((llm|mcp|media|responses?)\/)?v1\/(public\/shares|share))(\/|$)/

/** Which pages may call. */
export interface CorsOptions {
  /** Origins beyond the local ones: `CORS_ALLOWED_ORIGINS`. */
  readonly origins: readonly string[]
  /** Whether Apollo's hosted Sandbox may reach `/graphql`. */
  readonly allowSandbox: boolean
}

/** Contract 8.9: an allow-list with credentials, `*` without them on open paths. Preflights need no sign-in. */
export function corsPolicy({ origins, allowSandbox }: CorsOptions): RequestHandler {
  const listed = new Set(origins)
  const open = cors({ origin: '*', methods, exposedHeaders, maxAge: 86_400 })
  const restricted = (isGraph: boolean) =>
    cors({
      origin: (origin, done) => done(null, origin !== undefined && isAllowed(origin, isGraph)),
      credentials: true,
      methods,
      allowedHeaders: isGraph ? undefined : allowedHeaders,
      exposedHeaders,
      maxAge: 3600,
    })
  const isAllowed = (origin: string, isGraph: boolean) =>
    localOrigin.test(origin) ||
    listed.has(origin) ||
    (isGraph && allowSandbox && (origin === hostedSandbox || origin === embeddedSandbox))
  const rest = restricted(false)
  const graph = restricted(true)
  return (request, response, next) => {
    if (openPaths.test(request.path)) return open(request, response, next)
    // Also what a page from elsewhere is not let see must not be kept for one that is.
    response.setHeader('Vary', 'Origin')
    if (request.path === '/graphql' || request.path.startsWith('/graphql/')) graph(request, response, next)
    else rest(request, response, next)
  }
}
