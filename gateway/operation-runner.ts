import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway'
import type { FetchNode, QueryPlan, QueryPlanner, SubscriptionNode } from '@apollo/query-planner'
import { type DocumentNode, type ExecutionResult, GraphQLError, getVariableValues } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { toAppError, toGraphQLError } from '../platform/errors.ts'
import { endWithErrors } from './event-stream.ts'
import { formatResult } from './format-result.ts'
import type { GraphSource } from './graph-source.ts'
import { type PlannedOperation, planOperation, type SchemaView } from './planned-operation.ts'

/** An operation as a client or the adapter sends it, already parsed. The document's identity is the cache key. */
export interface OperationRequest {
  readonly document: DocumentNode
  readonly operationName?: string | undefined
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/** Runs operations over one view of the supergraph. Faults are results with `errors`; nothing rejects. */
export interface OperationRunner {
  /** The kind of an operation, planned in passing. @throws GraphQLError when it is not valid */
  kindOf(request: Pick<OperationRequest, 'document' | 'operationName'>): PlannedOperation['kind']
  execute(request: OperationRequest): Promise<ExecutionResult>
  subscribe(request: OperationRequest): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
}

/** The pieces that a runner works on. */
export interface RunnerParts {
  readonly view: SchemaView
  readonly planner: QueryPlanner
  readonly sources: Readonly<Record<string, GraphSource>>
  /** Clients' variables are checked against the view; the platform's own are checked by the subgraphs alone. */
  readonly checkVariables: boolean
  /** Sends single fetches through the plan's executor too. Tests hold the two ways against each other. */
  readonly alwaysPlanned?: boolean
}

/** The service name under which a subscription's event stands in a plan; no subgraph can have it. */
const eventService = '#event'

export function createOperationRunner({
  view,
  planner,
  sources,
  checkVariables,
  alwaysPlanned = false,
}: RunnerParts): OperationRunner {
  const planned = new WeakMap<DocumentNode, Map<string | undefined, PlannedOperation>>()

  const prepareFresh = (document: DocumentNode, operationName: string | undefined): PlannedOperation => {
    const operation = planOperation(view, planner, document, operationName)
    return alwaysPlanned ? { ...operation, direct: null } : operation
  }

  const prepare = ({ document, operationName }: Pick<OperationRequest, 'document' | 'operationName'>) => {
    const byName = planned.get(document) ?? new Map<string | undefined, PlannedOperation>()
    planned.set(document, byName)
    const known = byName.get(operationName)
    if (known) return known
    const fresh = prepareFresh(document, operationName)
    byName.set(operationName, fresh)
    return fresh
  }

  const variableFaults = (operation: PlannedOperation, variables: Record<string, unknown>) => {
    if (!checkVariables) return undefined
    const definitions = operation.context.operation.variableDefinitions ?? []
    return getVariableValues(view.graphql, definitions, variables, { maxErrors: 10 }).errors?.map(
      ({ message, nodes }) =>
        new GraphQLError(message, { nodes: nodes ?? null, extensions: { code: 'BAD_USER_INPUT' } }),
    )
  }

  const costFault = ({ document, operationName, variables }: OperationRequest) => {
    if (Object.keys(variables).length === 0) return
    view.limits?.assertAffordable(view.graphql, document, operationName, variables)
  }

  const fetchFrom = (fetch: FetchNode, variables: Record<string, unknown>, context: RequestContext) => ({
    document: documentOf(fetch),
    text: fetch.operation,
    operationName: fetch.operationName,
    variables: pick(variables, fetch.variableUsages ?? []),
    context,
  })

  const services = serviceMap(sources)

  const runPlan = async (
    { context: operationContext }: PlannedOperation,
    plan: QueryPlan,
    { variables, context }: OperationRequest,
    eventSource?: GraphSource,
  ): Promise<ExecutionResult> => {
    const request = { request: { variables }, context, metrics: {}, logger: context.log }
    const result = await executeQueryPlan(
      plan,
      eventSource ? { ...services, ...serviceMap({ [eventService]: eventSource }) } : services,
      request as unknown as Parameters<typeof executeQueryPlan>[2],
      operationContext,
      view.graphql,
      view.federated,
    )
    return formatResult(result as ExecutionResult)
  }

  const eventResult = (operation: PlannedOperation, node: SubscriptionNode, request: OperationRequest) => {
    if (operation.direct) return formatResult
    const plan: QueryPlan = {
      kind: 'QueryPlan',
      node: {
        kind: 'Sequence',
        nodes: [{ ...node.primary, serviceName: eventService }, ...(node.rest ? [node.rest] : [])],
      },
    }
    return (event: ExecutionResult) => {
      const once: GraphSource = { execute: async () => plainData(event), subscribe: async () => event }
      return runPlan(operation, plan, { ...request, context: { ...request.context } }, once)
    }
  }

  return {
    kindOf: (request) => prepare(request).kind,

    async execute(request) {
      return settle(request.context, async () => {
        const operation = prepare(request)
        const errors =
          operation.kind === 'subscription' ? [notAStream()] : variableFaults(operation, request.variables)
        if (errors) return { errors }
        costFault(request)
        const { direct } = operation
        if (!direct) return runPlan(operation, operation.plan, request)
        return formatResult(
          await sourceOf(sources, direct).execute(fetchFrom(direct, request.variables, request.context)),
        )
      })
    },

    async subscribe(request) {
      return settle(request.context, async () => {
        const operation = prepare(request)
        const errors = variableFaults(operation, request.variables)
        if (errors) return { errors }
        costFault(request)
        const { node } = operation.plan
        if (node?.kind !== 'Subscription') throw new GraphQLError('This operation is not a subscription.')
        const source = sourceOf(sources, node.primary)
        const opened = await source.subscribe(fetchFrom(node.primary, request.variables, request.context))
        if (!(Symbol.asyncIterator in opened)) return formatResult(opened)
        return endWithErrors(opened, eventResult(operation, node, request), request.context)
      })
    },
  }
}

function notAStream(): GraphQLError {
  return new GraphQLError(
    'A subscription needs a stream: send it to /graphql/stream, or accept multipart/mixed;subscriptionSpec=1.0.',
    { extensions: { code: 'BAD_REQUEST' } },
  )
}

async function settle<T>(
  { log }: RequestContext,
  work: () => Promise<T | ExecutionResult>,
): Promise<T | ExecutionResult> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof GraphQLError) return { errors: [thrown] }
    const failure = toAppError(thrown)
    if (failure.code === 'internal') log.error({ err: failure.cause ?? failure }, 'an operation failed')
    return { errors: [toGraphQLError(failure)] }
  }
}

function sourceOf(sources: Readonly<Record<string, GraphSource>>, { serviceName }: FetchNode): GraphSource {
  const source = sources[serviceName]
  if (!source) throw new Error(`the supergraph names a subgraph that is not wired: ${serviceName}`)
  return source
}

function documentOf({ operationDocumentNode, serviceName }: FetchNode): DocumentNode {
  if (!operationDocumentNode) throw new Error(`the plan's fetch from ${serviceName} carries no document`)
  return operationDocumentNode
}

/** Events may hold shared objects with a `toJSON`; merging other subgraphs' fields needs plain, own ones. */
function plainData(event: ExecutionResult): ExecutionResult {
  return { ...event, data: JSON.parse(JSON.stringify(event.data ?? null)) }
}

function pick(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const name of names) if (values[name] !== undefined) picked[name] = values[name]
  return picked
}

/** Our sources in the shape that `executeQueryPlan` calls. */
function serviceMap(sources: Readonly<Record<string, GraphSource>>): Parameters<typeof executeQueryPlan>[1] {
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
