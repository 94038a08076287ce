import type { ExecutionResult } from 'graphql'
import { AppError, toAppError } from '../platform/errors.ts'
import type { Graph } from '../platform/graph.ts'
import type { OperationRunner } from './operation-runner.ts'

/** The `Graph` that the adapter and the subgraphs use: results are data, failures are thrown. */
export function graphOver(runner: OperationRunner): Graph {
  return {
    async execute(operation, variables, context) {
      const result = await runner.execute({
        document: operation,
        variables: variables as Record<string, unknown>,
        context,
      })
      return dataOf(result)
    },
    async subscribe(operation, variables, context) {
      const opened = await runner.subscribe({
        document: operation,
        variables: variables as Record<string, unknown>,
        context,
      })
      if (!(Symbol.asyncIterator in opened)) throw failureOf(opened)
      return unwrapped(opened)
    },
  }
}

function unwrapped<Result>(source: AsyncIterableIterator<ExecutionResult>): AsyncIterableIterator<Result> {
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const step = await source.next()
      return step.done ? { done: true, value: undefined } : { done: false, value: dataOf<Result>(step.value) }
    },
    async return() {
      await source.return?.()
      return { done: true, value: undefined }
    },
  }
}

function dataOf<Result>(result: ExecutionResult): Result {
  if (result.errors?.length) throw failureOf(result)
  return result.data as Result
}

function failureOf({ errors }: ExecutionResult): AppError {
  return errors?.[0] ? toAppError(errors[0]) : new AppError('internal', 'The graph gave no answer.')
}
