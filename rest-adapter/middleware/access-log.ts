import type { RequestHandler } from 'express'
import type { Logger } from '../../platform/log.ts'
import { requestIdOf } from '../errors.ts'

/** One line a request, once its answer is out or its client has left. Paths only: query strings may hold secrets. */
export function accessLog(log: Logger): RequestHandler {
  if (!log.isLevelEnabled('info')) return (_request, _response, next) => next()
  return (request, response, next) => {
    const start = performance.now()
    const path = request.path
    response.on('close', () => {
      log.info(
        {
          requestId: requestIdOf(response),
          method: request.method,
          path,
          status: response.statusCode,
          ms: Math.round(performance.now() - start),
          ...(response.writableFinished ? {} : { aborted: true }),
        },
        'request',
      )
    })
    next()
  }
}
