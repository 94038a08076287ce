import type { RequestHandler } from 'express'

/** Several handlers as one, for what every request goes through: each layer of Express costs more than what most of them do. */
export function inOrder(...handlers: readonly RequestHandler[]): RequestHandler {
  return (request, response, next) => {
    let at = 0
    const step = (failure?: unknown): unknown => {
      // As Express: null is no failure, and some handlers say so.
      if (failure) return next(failure)
      const handler = handlers[at]
      at += 1
      return handler ? handler(request, response, step) : next()
    }
    return step()
  }
}
