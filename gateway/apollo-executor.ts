import type { executeQueryPlan, GraphQLDataSource } from '@apollo/gateway'
import type { QueryPlan } from '@apollo/query-planner'
import type { ExecutionResult } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { formatResult } from './format-result.ts'
import type { GraphSource } from './graph-source.ts'
import type { ApolloPlan } from './planned-operation.ts'

type ApolloServices = Parameters<typeof executeQueryPlan>[1]
type ApolloRequest = Parameters<typeof executeQueryPlan>[2]

/** What a plan runs with. */
export interface ApolloRun {
  readonly sources: Readonly<Record<string, GraphSource>>
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/**
 * Runs a plan through Apollo's executor, which knows all that a plan may hold.
 * @param plan in place of the operation's own
 */
export async function runApollo(
  { context: operationContext, federated }: ApolloPlan,
  plan: QueryPlan,
  { sources, variables, context }: ApolloRun,
): Promise<ExecutionResult> {
  const request = { request: { variables }, context, metrics: {}, logger: context.log }
  // it brings 20 MB with it, and few operations need it
  const { executeQueryPlan } = await import('@apollo/gateway')
  const result = await executeQueryPlan(
    plan,
    serviceMap(sources),
    request as unknown as ApolloRequest,
    operationContext,
    operationContext.schema,
    federated,
  )
  return formatResult(result as ExecutionResult)
}

/** Our sources in the shape that `executeQueryPlan` calls. */
function serviceMap(sources: Readonly<Record<string, GraphSource>>): ApolloServices {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, dataSource(source)]))
}

function dataSource(source: GraphSource): GraphQLDataSource {
  return {
    async process({ request, context, ...fetch }) {
      const document = 'document' in fetch ? fetch.document : undefined
      if (!document) throw new Error('a fetch came without its document')
      const result = await source.execute({
        document,
        text: request.query ?? '',
        operationName: request.operationName,
        variables: request.variables ?? {},
        context: context as RequestContext,
      })
      return result as Awaited<ReturnType<GraphQLDataSource['process']>>
    },
  }
}
