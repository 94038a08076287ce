import type { RequestHandler } from 'express'

/** A public prefix and what stands in its place before routing (contract 0.1). The first that matches is applied. */
type Rewrite = readonly [prefix: RegExp, replacement: string, family: string]

const authAlias: Rewrite = [/^\/v1\/auth(?=\/|$)/, '/auth', 'v1']
const healthAlias: Rewrite = [/^\/v1\/(?=healthz$|readyz$)/, '/', 'v1']

const gatewayRewrites: readonly Rewrite[] = [
  [/^\/llm\/v1\/auth(?=\/|$)/, '/auth', 'llm'],
  [/^\/llm\/v1\/(?=healthz$|readyz$)/, '/', 'llm'],
  [/^\/llm\/(?=v1\/|auth\/|healthz$|readyz$)/, '/', 'llm'],
  authAlias,
  healthAlias,
  [/^\/responses?\/(?=v1\/)/, '/', 'responses'],
  [/^\/media\/(?=v1\/)/, '/', 'media'],
  [/^\/mcp\/(?=v1\/)/, '/', 'mcp'],
]

/** What an absolute-form target (RFC 9112 3.2.2) has before its path. */
const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i

/** Rewrites the documented spellings of a path to the canonical one; leaves the family's name for handlers that differ by it. */
export const pathFamilies = rewriting(gatewayRewrites)

/** The spellings that there are on a service's own port, where no gateway has put a prefix. */
export const directPaths = rewriting([authAlias, healthAlias])

function rewriting(rewrites: readonly Rewrite[]): RequestHandler {
  return (request, response, next) => {
    const rewrite = rewrites.find(([prefix]) => prefix.test(request.path))
    if (rewrite) {
      const [prefix, replacement, family] = rewrite
      request.url = request.url.replace(origin, '').replace(prefix, replacement)
      response.locals.family = family
    }
    next()
  }
}
