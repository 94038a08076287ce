import type { Request, Response } from 'express'
import { ServerResponse } from '../../platform/node-http.ts'

/** The head of an answer: its status and the headers that its own route has set. */
export interface AnswerHead {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string | string[]])[]
}

/** Takes down what is written to a response that no connection belongs to. */
export interface AnswerRecorder {
  head(head: AnswerHead): void
  write(bytes: Buffer): void
  /** The last bytes, which may be none. Comes once, unless the response is destroyed. */
  end(bytes: Buffer, status: number): void
  /** An answer in one piece, in place of the other three. */
  whole(head: AnswerHead, bytes: Buffer): void
}

/** Headers that speak of one connection, or of one request and its sender. */
const ofOneRequest =
  /^(connection|keep-alive|transfer-encoding|date|x-request-id|x-auth-method|x-principal-id|x-user-.*|x-scopes)$/

/**
 * A response for `request` that goes to a recorder. Routes write to it as to any other; it never makes them wait. Nobody
 * leaves it either: only `destroy` closes it before its end.
 */
export function detachedResponse(request: Request, original: Response, recorder: AnswerRecorder): Response {
  const detached = new ServerResponse(request) as Response
  Object.setPrototypeOf(detached, Object.getPrototypeOf(original))
  Object.assign(detached, { req: request, locals: original.locals })
  // Errors name the request in their body.
  detached.setHeader('X-Request-Id', original.getHeader('X-Request-Id') ?? '')
  let begun = false
  let ended = false
  let destroyed = false

  const begin = () => {
    if (begun) return
    begun = true
    recorder.head(headOf(detached))
  }
  const close = () => setImmediate(() => detached.emit('close'))
  const finish = (bytes: Buffer) => {
    ended = true
    if (begun) return recorder.end(bytes, detached.statusCode)
    begun = true
    if (!bodiless.has(detached.statusCode)) detached.setHeader('Content-Length', String(bytes.length))
    recorder.whole(headOf(detached), bytes)
  }

  return Object.defineProperties(detached, {
    headersSent: { get: () => begun },
    writableEnded: { get: () => ended },
    writableFinished: { get: () => ended },
    destroyed: { get: () => destroyed },
    closed: { get: () => destroyed || ended },
    writeHead: {
      value: (status: number, ...rest: unknown[]) => {
        detached.statusCode = status
        const headers = rest.at(-1)
        if (typeof headers === 'object' && headers !== null)
          for (const [name, value] of Object.entries(headers)) detached.setHeader(name, value as string)
        begin()
        return detached
      },
    },
    flushHeaders: { value: begin },
    write: {
      value: (chunk: string | Uint8Array, ...rest: unknown[]) => {
        begin()
        if (!ended && !destroyed) recorder.write(bytesOf(chunk, rest))
        callBack(rest)
        return true
      },
    },
    end: {
      value: (...args: unknown[]) => {
        if (ended || destroyed) return detached
        const [chunk, ...rest] = args
        finish(isChunk(chunk) ? bytesOf(chunk, rest) : Buffer.alloc(0))
        callBack(args)
        setImmediate(() => detached.emit('finish'))
        close()
        return detached
      },
    },
    destroy: {
      value: () => {
        if (ended || destroyed) return detached
        destroyed = true
        close()
        return detached
      },
    },
  })
}

/** Statuses whose answers have no body, and no length either. */
const bodiless = new Set([204, 304])

function headOf(response: Response): AnswerHead {
  const headers = Object.entries(response.getHeaders()).filter(([name]) => !ofOneRequest.test(name))
  return {
    status: response.statusCode,
    headers: headers.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]),
  }
}

function isChunk(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

function bytesOf(chunk: string | Uint8Array, [encoding]: unknown[]): Buffer {
  if (typeof chunk !== 'string') return Buffer.from(chunk)
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}

function callBack(args: readonly unknown[]): void {
  const done = args.find((value) => typeof value === 'function')
  if (done) setImmediate(done as () => void)
}
