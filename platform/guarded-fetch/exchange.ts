import type { Dispatcher } from 'undici'
import type { Deadline } from './deadline.ts'
import { decodedBody } from './decoded-body.ts'
import { tooLarge } from './fetch-failures.ts'
import { GuardedBody } from './guarded-body.ts'
import type { GuardedRequest, GuardedResponse } from './guarded-fetch.ts'
import type { JudgedTarget } from './judged-target.ts'
import { pinnedConnection } from './pinned-connection.ts'

/**
 * One request to a judged target and the head of its answer, on a connection of its own, which closes with the body.
 * @throws anything: `Deadline.failure` tells what of it callers see
 */
export async function exchange(
  target: JudgedTarget,
  request: GuardedRequest,
  deadline: Deadline,
): Promise<GuardedResponse> {
  deadline.signal.throwIfAborted()
  const { method = 'GET', body, param, maxBytes } = request
  const connection = pinnedConnection(target, deadline.signal)
  const giveUp = () => void connection.destroy()
  deadline.signal.addEventListener('abort', giveUp, { once: true })
  const release = () => {
    deadline.signal.removeEventListener('abort', giveUp)
    giveUp()
  }
  try {
    const {
      statusCode,
      headers,
      body: wire,
    } = await connection.request({
      method,
      path: target.url.pathname + target.url.search,
      headers: requestHeaders(request),
      body: body ?? null,
    })
    // Its failure is the reader's, or, where it has none, nobody's.
    wire.on('error', () => undefined)
    const hasBody = method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
    if (hasBody && Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(param, maxBytes)
    return {
      url: target.url.href,
      status: statusCode,
      headers,
      body: new GuardedBody({
        wire,
        decoded: hasBody ? decodedBody(wire, headers['content-encoding']) : wire,
        maxBytes,
        tooLarge: () => tooLarge(param, maxBytes),
        failure: deadline.failure,
        release,
      }),
    }
  } catch (error) {
    release()
    throw error
  }
}

/** What decides over the connection is not the caller's to say. */
const ownHeaders = new Set(['host', 'connection', 'accept-encoding'])

function requestHeaders({ headers = {} }: GuardedRequest): Dispatcher.RequestOptions['headers'] {
  const given = Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase()))
  return { ...Object.fromEntries(given), 'accept-encoding': 'identity' }
}
