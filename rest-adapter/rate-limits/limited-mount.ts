import type { RequestHandler } from 'express'
import type { RequestScope } from '../request-scope.ts'
import { callerOf, type LimitedRoute } from './caller-draws.ts'
import type { RateLimits } from './rate-limits.ts'

/** What a request to the graph counts as by itself; what it starts is charged for besides. */
const graphRoute: LimitedRoute = { method: 'post', path: '/graphql', rate: { perMinute: 100, cost: 1 } }

/** Counts what is asked of the graph by its caller. */
export function limitedGraph(scope: RequestScope, limits: RateLimits): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== 'OPTIONS') {
      const context = await scope.open(request, response)
      await limits.admitCaller(graphRoute, callerOf(context, response), response)
    }
    next()
  }
}
