import type { Route } from '../route.ts'

/** A service of the reference that has a port of its own beside the gateway (contract 8.10). */
export interface DirectService {
  readonly name: 'llm-api' | 'response-api' | 'media-api' | 'mcp-tools' | 'memory-tools'
  /** The variable of its port. */
  readonly portVariable:
    | 'HTTP_PORT'
    | 'RESPONSE_API_PORT'
    | 'MEDIA_API_PORT'
    | 'MCP_TOOLS_HTTP_PORT'
    | 'MEMORY_TOOLS_HTTP_PORT'
  /** What its liveness says (contract 8.8). */
  readonly liveness: 'ok' | 'healthy'
  /** Its paths; what belongs to no other service is the LLM API's. */
  readonly paths: RegExp | null
}

/** The services in the order of the contract. */
export const directServices: readonly DirectService[] = [
  { name: 'llm-api', portVariable: 'HTTP_PORT', liveness: 'ok', paths: null },
  {
    name: 'response-api',
    portVariable: 'RESPONSE_API_PORT',
    liveness: 'healthy',
    paths: /^\/v1\/responses(\/|$)/,
  },
  {
    name: 'media-api',
    portVariable: 'MEDIA_API_PORT',
    liveness: 'healthy',
    paths: /^(\/v1\/(media|files)|\/api\/media)(\/|$)/,
  },
  {
    name: 'mcp-tools',
    portVariable: 'MCP_TOOLS_HTTP_PORT',
    liveness: 'healthy',
    paths: /^\/v1\/mcp(\/|$)/,
  },
]

/** The routes that a service answers on its own port. */
export function routesOf({ paths }: DirectService, routes: readonly Route[]): readonly Route[] {
  const owners = directServices.flatMap((service) => service.paths ?? [])
  return routes.filter(({ path }) => (paths ? paths.test(path) : !owners.some((others) => others.test(path))))
}
