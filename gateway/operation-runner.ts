import type { executeQueryPlan, GraphQLDataSource } from '@apollo/gateway'
import type { QueryPlan, QueryPlanner, SubscriptionNode } from '@apollo/query-planner'
import { type DocumentNode, type ExecutionResult, GraphQLError, getVariableValues } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { toAppError, toGraphQLError } from '../platform/errors.ts'
import { endWithErrors } from './event-stream.ts'
import { formatResult } from './format-result.ts'
import { type GraphSource, sourceOf, sourceRequest } from './graph-source.ts'
import { executePlan } from './plan-executor.ts'
import { type PlainPlan, type PlannedOperation, planOperation, type SchemaView } from './planned-operation.ts'

/** An operation as a client or the adapter sends it, already parsed. The document's identity is the cache key. */
export interface OperationRequest {
  readonly document: DocumentNode
  readonly operationName?: string | undefined
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/** A query or a mutation that may run: it is valid and affordable, and so are its variables. */
export interface AdmittedOperation {
  /** As `execute`, with all checks behind it. */
  run(context: RequestContext): Promise<ExecutionResult>
}

/** Runs operations over one view of the supergraph. Faults are results with `errors`; nothing rejects. */
export interface OperationRunner {
  /** The kind of an operation, planned in passing. @throws GraphQLError when it is not valid */
  kindOf(request: Pick<OperationRequest, 'document' | 'operationName'>): PlannedOperation['kind']
  /** Null for what can't be run once and answered: `execute` tells why. */
  admit(request: Omit<OperationRequest, 'context'>): AdmittedOperation | null
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
  /** Sends everything through Apollo's executor of plans. Tests hold our own ways against it. */
  readonly alwaysApollo?: boolean
}

type ApolloServices = Parameters<typeof executeQueryPlan>[1]
type ApolloRequest = Parameters<typeof executeQueryPlan>[2]

/** The service name under which a subscription's event stands in a plan; no subgraph can have it. */
const eventService = '#event'

export function createOperationRunner({
  view,
  planner,
  sources,
  checkVariables,
  alwaysApollo = false,
}: RunnerParts): OperationRunner {
  const planned = new WeakMap<DocumentNode, Map<string | undefined, PlannedOperation>>()

  const prepareFresh = (document: DocumentNode, operationName: string | undefined): PlannedOperation => {
    const operation = planOperation(view, planner, document, operationName)
    return alwaysApollo ? { ...operation, direct: null, plain: null } : operation
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

  const costFault = ({ document, operationName, variables }: Omit<OperationRequest, 'context'>) => {
    if (Object.keys(variables).length === 0) return
    view.limits?.assertAffordable(view.graphql, document, operationName, variables)
  }

  const services = serviceMap(sources)

  const runApollo = async (
    { context: operationContext }: PlannedOperation,
    plan: QueryPlan,
    { variables, context }: OperationRequest,
    eventSource?: GraphSource,
  ): Promise<ExecutionResult> => {
    const request = { request: { variables }, context, metrics: {}, logger: context.log }
    // it brings 20 MB with it, and few operations need it
    const { executeQueryPlan } = await import('@apollo/gateway')
    const result = await executeQueryPlan(
      plan,
      eventSource ? { ...services, ...serviceMap({ [eventService]: eventSource }) } : services,
      request as unknown as ApolloRequest,
      operationContext,
      view.graphql,
      view.federated,
    )
    return formatResult(result as ExecutionResult)
  }

  const defaulted = ({ context }: PlannedOperation, variables: Record<string, unknown>) => {
    const definitions = context.operation.variableDefinitions ?? []
    return getVariableValues(view.graphql, definitions, variables).coerced ?? variables
  }

  const runPlain = async (
    operation: PlannedOperation,
    { node, shapeFor }: PlainPlan,
    { variables, context }: OperationRequest,
    event: ExecutionResult = {},
  ): Promise<ExecutionResult> => {
    const gathered = { data: event.data ?? {}, errors: [...(event.errors ?? [])] }
    await executePlan(node, gathered, { sources, variables, context })
    const shape = shapeFor(() => defaulted(operation, variables))
    return formatResult({ data: shape.apply(gathered.data), errors: gathered.errors })
  }

  const runPlan = (operation: PlannedOperation, request: OperationRequest) =>
    operation.plain
      ? runPlain(operation, operation.plain, request)
      : runApollo(operation, operation.plan, request)

  /** Every event has loaders of its own. */
  const eventResult = (operation: PlannedOperation, node: SubscriptionNode, request: OperationRequest) => {
    if (operation.direct) return formatResult
    const { plain } = operation
    if (plain)
      return (event: ExecutionResult) =>
        runPlain(operation, plain, { ...request, context: { ...request.context } }, plainData(event))
    const plan: QueryPlan = {
      kind: 'QueryPlan',
      node: {
        kind: 'Sequence',
        nodes: [{ ...node.primary, serviceName: eventService }, ...(node.rest ? [node.rest] : [])],
      },
    }
    return (event: ExecutionResult) => {
      const once: GraphSource = { execute: async () => plainData(event), subscribe: async () => event }
      return runApollo(operation, plan, { ...request, context: { ...request.context } }, once)
    }
  }

  /** @throws GraphQLError for one fault; those of variables are all told */
  const admission = (request: Omit<OperationRequest, 'context'>): PlannedOperation | GraphQLError[] => {
    const operation = prepare(request)
    if (operation.kind === 'subscription') return [notAStream()]
    const faults = variableFaults(operation, request.variables)
    if (faults) return faults
    costFault(request)
    return operation
  }

  const run = (operation: PlannedOperation, request: OperationRequest): Promise<ExecutionResult> =>
    settle(request.context, async () => {
      const { direct } = operation
      if (!direct) return runPlan(operation, request)
      const asked = sourceRequest(direct, request.variables, request.context)
      return formatResult(await sourceOf(sources, direct).execute(asked))
    })

  return {
    kindOf: (request) => prepare(request).kind,

    admit(request) {
      try {
        const operation = admission(request)
        return Array.isArray(operation) ? null : { run: (context) => run(operation, { ...request, context }) }
      } catch {
        // whoever executes it instead finds the same, and tells it
        return null
      }
    },

    async execute(request) {
      return settle(request.context, async () => {
        const operation = admission(request)
        return Array.isArray(operation) ? { errors: operation } : run(operation, request)
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
        const opened = await source.subscribe(sourceRequest(node.primary, request.variables, request.context))
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

/** Events may hold shared objects with a `toJSON`; merging other subgraphs' fields needs plain, own ones. */
function plainData(event: ExecutionResult): ExecutionResult {
  return { ...event, data: JSON.parse(JSON.stringify(event.data ?? null)) }
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
