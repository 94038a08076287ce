import type { Request, Response } from 'express'
import type { IdempotencyStore } from '../../platform/edge-stores/idempotency-store.ts'
import { StreamCut, type StreamLog, type StreamLogWriter } from '../../platform/edge-stores/stream-log.ts'
import { AppError } from '../../platform/errors.ts'
import { isRepeatable } from '../../platform/unrepeatable.ts'
import { encodeHead } from './answer-head.ts'
import { type AnswerRecorder, detachedResponse } from './detached-response.ts'
import type { KeyedRequest } from './keyed-request.ts'
import { readHead, sendAnswer } from './send-answer.ts'

/** What idempotency works with. */
export interface IdempotencyOptions {
  readonly store: IdempotencyStore
  readonly streams: StreamLog
  /** How long a duplicate waits for the answer to begin; 60 seconds (contract 8.5). */
  readonly maxWaitMs?: number
}

/** One request as it is to be served. */
export interface KeyedCall {
  readonly keyed: KeyedRequest
  readonly request: Request
  readonly response: Response
  /** Aborts when this client leaves; the run goes on. */
  readonly signal: AbortSignal
  /** The work itself, done once for all who ask. Writes its answer, failures too, to the response it is given. */
  run(response: Response): Promise<void>
}

/** Serves requests that may be repeated: the first runs, into a log; it and all others answer with what the log holds. */
export interface Idempotency {
  /** @throws AppError `idempotency_conflict`, `request_in_progress` */
  serve(call: KeyedCall): Promise<void>
}

export function idempotency({ store, streams, maxWaitMs = 60_000 }: IdempotencyOptions): Idempotency {
  return {
    async serve(call) {
      const patienceEnds = performance.now() + maxWaitMs
      for (;;) {
        const claim = await store.claim(call.keyed.scope, call.keyed.fingerprint)
        if (claim.outcome === 'conflict') throw keyReused()
        if (claim.outcome === 'claimed') {
          begin(call, streams.writer(claim.run))
          return answerFirst(call, streams, claim.run)
        }
        const answered = await answerAgain(call, streams, claim.run, patienceEnds - performance.now())
        if (answered) return
      }
    },
  }
}

/** Runs the call into a log. It ends with its answer, or when nobody has been reading for too long. */
function begin({ request, response, run }: KeyedCall, writer: StreamLogWriter): void {
  const detached: Response = detachedResponse(
    request,
    response,
    recorderOf(writer, () => detached),
  )
  writer.unread.addEventListener('abort', () => detached.destroy(), { once: true })
  // A run tells its failures to the response; one that has told nothing, or threw, is over all the same.
  const over = () => {
    if (!detached.writableEnded) void writer.cut()
  }
  run(detached).then(over, over)
}

function recorderOf(writer: StreamLogWriter, response: () => Response): AnswerRecorder {
  const worth = (status: number) => (isRepeatable(response(), status) ? 'kept' : 'spent')
  return {
    head: (head) => writer.append(encodeHead(head)),
    write: (bytes) => writer.append(bytes),
    end: (bytes, status) => void writer.end(bytes, worth(status)),
    whole: (head, bytes) => void writer.end(Buffer.concat([encodeHead(head), bytes]), worth(head.status)),
  }
}

/** Answers whoever began the run. */
async function answerFirst({ response, signal }: KeyedCall, streams: StreamLog, run: string): Promise<void> {
  const bytes = streams.read(run, 0, signal)
  try {
    await sendAnswer(response, await readHead(bytes), bytes)
  } catch (error) {
    if (!(error instanceof StreamCut)) throw error
    if (!response.headersSent) throw cutOff()
    response.destroy()
  }
}

/**
 * Answers a duplicate. False where the run was cut before its answer had begun: then its scope is free, and whoever
 * waited for it runs it anew.
 */
async function answerAgain(
  { response, signal }: KeyedCall,
  streams: StreamLog,
  run: string,
  patienceMs: number,
): Promise<boolean> {
  const waiting = new AbortController()
  const timer = setTimeout(() => waiting.abort(stillRunning()), Math.max(0, patienceMs))
  const bytes = streams.read(run, 0, AbortSignal.any([signal, waiting.signal]))
  try {
    const answer = await readHead(bytes)
    clearTimeout(timer)
    response.setHeader('Idempotent-Replayed', 'true')
    await sendAnswer(response, answer, bytes)
    return true
  } catch (error) {
    if (!(error instanceof StreamCut)) throw error
    if (!response.headersSent) return false
    response.destroy()
    return true
  } finally {
    clearTimeout(timer)
  }
}

function keyReused(): AppError {
  return new AppError(
    'idempotency_conflict',
    'This idempotency key has been used with another request. Send a new key with a new request.',
    { param: 'Idempotency-Key' },
  )
}

function stillRunning(): AppError {
  return new AppError(
    'request_in_progress',
    'The first request with this idempotency key is still running. Try again later.',
    { param: 'Idempotency-Key', retryAfter: 5 },
  )
}

function cutOff(): AppError {
  return new AppError('service_unavailable', 'The request was cut off before its answer. Try again.', {
    retryAfter: 1,
  })
}
