import type { RequestHandler } from 'express'
import { newId } from '../../platform/ids.ts'

const acceptable = /^(?! )[\x20-\x7e]{1,128}(?<! )$/

/** Contract 8.4: a printable `X-Request-Id` of up to 128 characters, blanks inside it included, is kept, anything else replaced by `req_…`. */
export const requestId: RequestHandler = (request, response, next) => {
  const given = request.headers['x-request-id']
  response.setHeader(
    'X-Request-Id',
    typeof given === 'string' && acceptable.test(given) ? given : newId('request'),
  )
  next()
}
