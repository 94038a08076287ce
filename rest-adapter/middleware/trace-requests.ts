import type { RequestHandler } from 'express'
import { traceparentOf } from '../../platform/trace-context.ts'
import { noTracing, type Tracing } from '../../platform/tracing/tracing.ts'
import { requestIdOf } from '../errors.ts'
import { endpointOf } from './endpoint.ts'

/** Every request is a span, under the caller's where it names one. All that is done for it is sent on as happening under that span. */
export function traceRequests(tracing: Tracing): RequestHandler {
  if (tracing === noTracing) return (_request, _response, next) => next()
  return (request, response, next) => {
    const { method } = request
    const span = tracing.begin(method, {
      kind: 'server',
      parent: traceparentOf(request.headers),
      attributes: { 'http.request.method': method, 'jan.request_id': requestIdOf(response) },
    })
    if (span.traceparent !== null) request.headers.traceparent = span.traceparent
    response.on('close', () => {
      const { statusCode: status } = response
      const endpoint = endpointOf(request, response)
      span.end({
        name: `${method} ${endpoint}`,
        attributes: { 'http.route': endpoint, 'http.response.status_code': status },
        failure: status < 500 ? undefined : String(status),
      })
    })
    next()
  }
}
