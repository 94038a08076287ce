import type { ExecutionResult } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { toAppError, toGraphQLError } from '../platform/errors.ts'

/**
 * A stream of results that never rejects: a failure in mid-stream becomes one last result with `errors`, then the
 * stream is done. `return()` goes straight to the source, so leaving never waits for the next event.
 */
export function endWithErrors<Event>(
  source: AsyncIterator<Event>,
  present: (event: Event) => ExecutionResult | Promise<ExecutionResult>,
  { log }: RequestContext,
): AsyncIterableIterator<ExecutionResult> {
  let ended = false
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (ended) return { done: true, value: undefined }
      try {
        const step = await source.next()
        if (step.done) {
          ended = true
          return { done: true, value: undefined }
        }
        const presented = present(step.value)
        // most are ready, and waiting for those would cost each chunk a turn
        return { done: false, value: presented instanceof Promise ? await presented : presented }
      } catch (thrown) {
        ended = true
        // What failed may be our own part: the source must not go on for nobody.
        void source
          .return?.()
          ?.catch((error: unknown) => log.warn({ err: error }, 'a stream could not be ended'))
        const failure = toAppError(thrown)
        if (failure.code === 'internal') log.error({ err: failure.cause ?? failure }, 'a subscription failed')
        return { done: false, value: { errors: [toGraphQLError(failure)] } }
      }
    },
    async return() {
      ended = true
      await source.return?.()
      return { done: true, value: undefined }
    },
  }
}
