import type { Response } from 'express'
import type { RequestContext } from '../platform/context.ts'
import { drained } from '../platform/drained.ts'
import { toAppError } from '../platform/errors.ts'
import { markUnrepeatable } from '../platform/unrepeatable.ts'
import { errorEnvelope } from './errors.ts'

/** Contract 2.3: silence is broken at least this often, so that nothing between here and the client hangs up. */
const usualHeartbeatMs = 15_000
const heartbeat = ': ping\n\n'
const done = 'data: [DONE]\n\n'

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache',
  'X-Accel-Buffering': 'no',
}

/** How an event stream is sent. */
export interface EventStreamOptions<Event> {
  /** Called with the first event, before the head goes out: for headers that only the stream can tell. */
  begin?(first: Event): void
  readonly heartbeatMs?: number
}

/**
 * Answers with an event stream. The first event is awaited before the head goes out, so that a failure until then is a
 * plain error with its status. A later one becomes a last `data: {"error": …}`, without `[DONE]`.
 * @param encode the bytes of one event of the graph: whole `data:` events, or several
 * @throws AppError before the first byte
 */
export async function sendEventStream<Event>(
  response: Response,
  events: AsyncIterableIterator<Event>,
  encode: (event: Event) => Buffer | string,
  { requestId, log }: Pick<RequestContext, 'requestId' | 'log'>,
  { begin, heartbeatMs = usualHeartbeatMs }: EventStreamOptions<Event> = {},
): Promise<void> {
  let step = await events.next()
  if (!step.done) begin?.(step.value)
  response.socket?.setNoDelay(true)
  response.writeHead(200, headers)
  const pulse = setTimeout(() => {
    response.write(heartbeat)
    pulse.refresh()
  }, heartbeatMs)
  try {
    while (!step.done && !response.closed) {
      if (!response.write(encode(step.value))) await drained(response)
      pulse.refresh()
      step = await events.next()
    }
    response.end(done)
  } catch (thrown) {
    const failure = toAppError(thrown)
    if (failure.code === 'internal') log.error({ err: failure.cause ?? failure }, 'a stream broke')
    markUnrepeatable(response)
    if (!response.closed)
      response.end(`data: ${JSON.stringify({ error: errorEnvelope(failure, requestId).error })}\n\n`)
  } finally {
    clearTimeout(pulse)
    await events.return?.()
  }
}
