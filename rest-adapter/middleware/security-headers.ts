import type { RequestHandler } from 'express'

/** Answers are data: never to be sniffed, framed or referred from. Pages that need more set their own. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Referrer-Policy', 'no-referrer')
  response.setHeader('X-Frame-Options', 'DENY')
  next()
}
