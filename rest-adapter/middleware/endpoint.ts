import type { Request, RequestHandler, Response } from 'express'
import { otherValue } from '../../platform/metrics/few-values.ts'

/** Marks what comes to a mount, where no route tells its path. */
export function countedAs(endpoint: string): RequestHandler {
  return (_request, response, next) => {
    response.locals.endpoint = endpoint
    next()
  }
}

/** The path of the route that has taken a request, with its parameters' names: there are few of them. */
export function endpointOf({ route }: Request, { locals }: Response): string {
  const path: unknown = route?.path ?? locals.endpoint
  return typeof path === 'string' ? path : otherValue
}
