import express, { type RequestHandler } from 'express'
import { AppError } from '../../platform/errors.ts'
import { parseJsonBody } from '../../platform/json-body.ts'

/** Reads a JSON body into `request.body`; anything that is not JSON stays unread and is refused by the protocol's own rules. */
export function readGraphqlBody(limit: number): RequestHandler {
  const raw = express.raw({ type: isJson, limit })
  return (request, response, next) => {
    // the reader would first wait for all of the body
    if (Number(request.headers['content-length'] ?? 0) > limit)
      throw new AppError('payload_too_large', 'The body is too large.')
    raw(request, response, (error?: unknown) => {
      if (error !== undefined) return next(error)
      try {
        request.body = Buffer.isBuffer(request.body) ? objectBody(request.body) : {}
        next()
      } catch (fault) {
        next(fault)
      }
    })
  }
}

function isJson({ headers }: { headers: { 'content-type'?: string | undefined } }): boolean {
  return /^application\/(json|graphql\+json)\s*(;|$)/i.test(headers['content-type'] ?? '')
}

function objectBody(bytes: Buffer): unknown {
  const value = parseJsonBody(bytes)
  if (typeof value === 'object' && value !== null) return value
  throw new AppError('invalid_json', 'The body must be a JSON object with a query.')
}
