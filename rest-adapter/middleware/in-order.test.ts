import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it } from '@jest/globals'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { createServer } from '../../platform/node-http.ts'
import { inOrder } from './in-order.ts'

/** What an application answers that has these in order, then says `through`, or what failed. */
async function answerOf(...handlers: readonly RequestHandler[]): Promise<string> {
  const tellFailure: ErrorRequestHandler = (error, _request, response, _next) => {
    response.send(`failed: ${error}`)
  }
  const app = express()
  app.use(inOrder(...handlers))
  app.use((_request, response) => void response.send('through'))
  app.use(tellFailure)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text()
  } finally {
    server.close()
  }
}

it('handlers in order all run, whatever they go on with that is no failure', async () => {
  const seen: string[] = []
  const sees =
    (name: string, failure?: unknown): RequestHandler =>
    (_request, _response, next) => {
      seen.push(name)
      next(failure)
    }
  const later: RequestHandler = (_request, _response, next) => {
    seen.push('later')
    setImmediate(next)
  }
  expect(await answerOf(sees('first', null), later, sees('last', undefined))).toBe('through')
  expect(seen).toEqual(['first', 'later', 'last'])
})

it.each<[how: string, handler: RequestHandler]>([
  ['tells it', (_request, _response, next) => next('this')],
  [
    'throws it',
    () => {
      throw 'this'
    },
  ],
  ['rejects with it', () => Promise.reject('this')],
  ['tells it later', (_request, _response, next) => void setImmediate(() => next('this'))],
])('a failure of one that %s ends the order', async (_, handler) => {
  const never: RequestHandler = (_request, response) => void response.send('never')
  const pass: RequestHandler = (_request, _response, next) => next()
  expect(await answerOf(pass, handler, never)).toBe('failed: this')
})
