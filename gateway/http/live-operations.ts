import type { Request } from 'express'
import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
} from 'graphql'
import { AppError } from '../../platform/errors.ts'
import { startedFields } from './root-fields.ts'

/** Events of this interface come until their reader leaves. */
const liveEvent = 'LiveEvent'

/** Whether a subscription has no end of its own: the schema says so by the type of its events. */
export function isLive(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
): boolean {
  const fields = schema.getSubscriptionType()?.getFields() ?? {}
  return startedFields(document, operationName).some((name) => {
    const type = fields[name] && getNamedType(fields[name].type)
    return isObjectType(type) && type.getInterfaces().some((each) => each.name === liveEvent)
  })
}

/**
 * What is kept under an idempotency key is kept whole, which what never ends can't be.
 * @throws AppError `invalid_parameter` naming the header
 */
export function assertUnkeyed({ method, headers }: Request): void {
  if (method !== 'POST' || headers['idempotency-key'] === undefined) return
  throw new AppError('invalid_parameter', 'A subscription without an end can have no idempotency key.', {
    param: 'Idempotency-Key',
  })
}

/** Its reader has to prove again who it is after so long. */
const longestMs = 3_600_000
/** Where nothing is told meanwhile, this often is asked whether the reader may still listen. */
const proofMs = 5_000

/** When a stream without an end of its own ends all the same. */
export interface LiveEnd {
  /** Aborts when the server is about to stop. */
  readonly draining: AbortSignal
  /** Whether the reader would still be let in; asked before each event. Always where there is none. */
  holds?(): Promise<boolean>
}

/**
 * The same events until the server stops, the reader's credential does not hold any more, or an hour is over: then the
 * stream is done, as if its source had come to its end.
 */
export function endingWith(
  { draining, holds }: LiveEnd,
  events: AsyncIterableIterator<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const end = () => void events.return?.()
  const late = setTimeout(end, longestMs).unref()
  const prove = async () => {
    if (holds && !(await holds())) end()
  }
  const proof = holds && setInterval(() => void prove(), proofMs).unref()
  const forget = () => {
    clearTimeout(late)
    clearInterval(proof)
    draining.removeEventListener('abort', end)
  }
  const leave = async (): Promise<IteratorResult<ExecutionResult>> => {
    forget()
    await events.return?.()
    return { done: true, value: undefined }
  }
  if (draining.aborted) end()
  else draining.addEventListener('abort', end, { once: true })
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await events.next()
      if (step.done) forget()
      else if (holds && !(await holds())) return leave()
      return step
    },
    return: leave,
  }
}
