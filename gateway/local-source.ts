import {
  createSourceEventStream,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
} from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { toAppError, toGraphQLError } from '../platform/errors.ts'
import type { SubgraphContext } from '../platform/subgraph.ts'
import { endWithErrors } from './event-stream.ts'
import type { GraphSource, SourceRequest } from './graph-source.ts'
import { eventExecutor } from './subscription-events.ts'

/** A subgraph that runs in this process. */
export interface LocalSubgraph {
  readonly schema: GraphQLSchema
  createContext(request: RequestContext): SubgraphContext
}

/**
 * Executes on the subgraph's schema straight from the plan's document: no print, no parse, no second validation. One
 * subgraph context, with its loaders, serves all fetches of a request.
 */
export function localSource({ schema, createContext }: LocalSubgraph): GraphSource {
  const contexts = new WeakMap<RequestContext, SubgraphContext>()
  const contextFor = (request: RequestContext): SubgraphContext => {
    const known = contexts.get(request)
    if (known) return known
    const made = createContext(request)
    contexts.set(request, made)
    return made
  }
  const argumentsOf = ({ document, operationName, variables, context }: SourceRequest) => ({
    schema,
    document,
    operationName: operationName ?? null,
    variableValues: variables,
    contextValue: contextFor(context),
  })

  const eventResults = eventExecutor(schema)

  return {
    async execute(request) {
      return masked(await execute(argumentsOf(request)), request.context)
    },
    async subscribe(request) {
      const { context } = request
      const opening = argumentsOf(request)
      const outcome = await createSourceEventStream(opening)
      if (!(Symbol.asyncIterator in outcome)) return masked(outcome, context)
      const resultOf = eventResults(opening)
      const present = (event: unknown) => {
        // what was read for one event may not be so any more at the next
        opening.contextValue.clearLoaders()
        const result = resultOf(event)
        return result instanceof Promise
          ? result.then((settled) => masked(settled, context))
          : masked(result, context)
      }
      return endWithErrors(iterator(outcome), present, context)
    },
  }
}

function masked(result: ExecutionResult, context: RequestContext): ExecutionResult {
  if (!result.errors) return result
  return { ...result, errors: result.errors.map((error) => maskedError(error, context)) }
}

function maskedError(error: GraphQLError, { log }: RequestContext): GraphQLError {
  const failure = toAppError(error)
  if (failure.code === 'internal')
    log.error({ err: failure.cause ?? failure, path: error.path }, 'a resolver failed')
  return toGraphQLError(failure, error)
}

function iterator(source: AsyncIterable<unknown>): AsyncIterator<unknown> {
  return source[Symbol.asyncIterator]()
}
