import type { RequestHandler } from 'express'
import type { RequestScope } from '../request-scope.ts'
import { callerOf, type LimitedRoute, type RateLimits } from './index.ts'

/** An operation of the graph may do what any route does, so it costs as much as the dearest. */
const graphRoute: LimitedRoute = { method: 'post', path: '/graphql', rate: { perMinute: 100, cost: 10 } }

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
