import type { RequestHandler } from 'express'
import { AppError } from '../../platform/errors.ts'

const continuation = /100-continue/i

/**
 * What a server owes the head of an HTTP/1.1 request and Node would answer with an empty body: 400 where there is no `Host`
 * (RFC 9112 3.2), 417 for an expectation that nobody knows (RFC 9110 10.1.1). Whoever asks before sending a body is told
 * to go on, or that it is too large. For a server that hands on `checkContinue` and `checkExpectation` as requests.
 * @param maxBodyBytes the largest body that any route takes
 */
export function requestHead(maxBodyBytes: number): RequestHandler {
  return ({ httpVersion, headers }, response, next) => {
    if (httpVersion !== '1.1') return next()
    if (headers.host === undefined) {
      response.setHeader('Connection', 'close')
      throw new AppError('invalid_parameter', 'The request must have a Host header.')
    }
    if (headers.expect === undefined) return next()
    if (!continuation.test(headers.expect)) {
      response.setHeader('Connection', 'close')
      throw new AppError('expectation_failed', 'The only expectation that is met is 100-continue.')
    }
    if (Number(headers['content-length'] ?? 0) > maxBodyBytes)
      throw new AppError('payload_too_large', 'The body is too large.')
    response.writeContinue()
    next()
  }
}
