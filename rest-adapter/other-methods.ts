import type { RequestHandler } from 'express'
import { AppError } from '../platform/errors.ts'

/**
 * For a known path, after those who serve it: another method is 405 and names those that there are (contract 8.2); OPTIONS
 * asks for just that.
 */
export function refuseOtherMethods(served: Iterable<string>): RequestHandler {
  // Whatever is read can be asked for its head alone (RFC 9110 9.3.2).
  const methods = [...served].flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : method.toUpperCase()))
  const allow = [...new Set(methods), 'OPTIONS'].join(', ')
  return (request, response) => {
    response.setHeader('Allow', allow)
    if (request.method === 'OPTIONS') {
      response.status(204).end()
      return
    }
    throw new AppError('method_not_allowed', `This route takes ${allow}.`)
  }
}

/** The same for a path that is only read. */
export const readOnly = refuseOtherMethods(['get'])
