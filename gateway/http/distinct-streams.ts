import type { Request, Response } from 'express'
import type { ExecutionResult } from 'graphql'
import { createHandler, type RequestParams } from 'graphql-sse'
import { drained } from '../../platform/drained.ts'

/** Runs the operation of one request. */
export type OpenOperation = (
  request: Request,
  params: RequestParams,
) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>

/**
 * graphql-sse in its distinct connections mode: one response per operation, no faster than its client reads.
 * @returns a handler that rejects with what `open` throws, before the first byte
 */
export function distinctStreams(
  open: OpenOperation,
): (request: Request, response: Response) => Promise<void> {
  const pacings = new WeakMap<Request, Pacing>()
  const handler = createHandler<Request>({
    // Any text would name a single connection that all callers share: they could read each other's results.
    authenticate: () => null,
    async onSubscribe({ raw }, params) {
      const outcome = await open(raw, params)
      if (Symbol.asyncIterator in outcome) return pacings.get(raw)?.hold(outcome) ?? outcome
      return singleResult(outcome)
    },
  })
  return async (request, response) => {
    const pacing = createPacing()
    pacings.set(request, pacing)
    const [body, { status, statusText, headers = {} }] = await handler({
      method: request.method,
      url: request.url,
      headers: { get: (name) => String(request.headers[name] ?? '') },
      body: request.body as Record<string, unknown>,
      raw: request,
      context: undefined,
    })
    if (response.destroyed) {
      if (typeof body === 'object') await body?.return(undefined)
      return
    }
    response.writeHead(status, statusText, headers)
    if (body === null || typeof body === 'string') response.end(body ?? undefined)
    else await writePaced(response, body, pacing)
  }
}

async function writePaced(
  response: Response,
  messages: AsyncGenerator<string, void, undefined>,
  pacing: Pacing,
): Promise<void> {
  response.once('close', () => {
    pacing.release()
    void messages.return(undefined)
  })
  for await (const message of messages) {
    if (response.destroyed) return
    if (!response.write(message)) await drained(response)
    pacing.read()
  }
  response.end()
}

/** How many events may wait for the client. */
const unreadLimit = 16

/** graphql-sse takes events as fast as they come and keeps what the client has not read yet: this holds them back. */
interface Pacing {
  hold(source: AsyncIterableIterator<ExecutionResult>): AsyncIterableIterator<ExecutionResult>
  /** The client has taken one. */
  read(): void
  /** The client has left. */
  release(): void
}

function createPacing(): Pacing {
  let unread = 0
  let left = false
  let wake: (() => void) | undefined
  return {
    hold: (source) => ({
      [Symbol.asyncIterator]() {
        return this
      },
      async next() {
        while (unread >= unreadLimit && !left)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        unread += 1
        return source.next()
      },
      async return() {
        await source.return?.()
        return { done: true, value: undefined }
      },
    }),
    read() {
      unread = Math.max(0, unread - 1)
      wake?.()
    },
    release() {
      left = true
      wake?.()
    },
  }
}

/** graphql-sse knows a result by its having `data`, even of a request that failed before there was any. */
function singleResult({ data, ...rest }: ExecutionResult): ExecutionResult {
  return { data, ...rest }
}
