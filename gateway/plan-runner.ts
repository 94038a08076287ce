import type { QueryPlan } from '@apollo/query-planner'
import { type ExecutionResult, GraphQLError } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { runApollo } from './apollo-executor.ts'
import { endWithErrors } from './event-stream.ts'
import { formatResult } from './format-result.ts'
import { type GraphSource, sourceOf, sourceRequest } from './graph-source.ts'
import type { PlainPlan } from './plain-plan.ts'
import { executePlan } from './plan-executor.ts'
import type { ApolloPlan, PlannedOperation } from './planned-operation.ts'

/** What an operation that is planned runs with. */
export interface RunRequest {
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/** Runs what is planned, each operation the shortest way that its plan allows. */
export interface PlanRunner {
  run(operation: PlannedOperation, request: RunRequest): Promise<ExecutionResult>
  /** @throws GraphQLError for what is no subscription */
  stream(
    operation: PlannedOperation,
    request: RunRequest,
  ): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
}

/** The service name under which a subscription's event stands in a plan; no subgraph can have it. */
const eventService = '#event'

/** @param sources the subgraphs by the names that plans have for them */
export function createPlanRunner(sources: Readonly<Record<string, GraphSource>>): PlanRunner {
  const runPlain = async (
    { node, shapeFor }: PlainPlan,
    { variables, context }: RunRequest,
    event: ExecutionResult = {},
  ): Promise<ExecutionResult> => {
    const gathered = { data: event.data ?? {}, errors: [...(event.errors ?? [])] }
    await executePlan(node, gathered, { sources, variables, context })
    return formatResult({ data: shapeFor(variables).apply(gathered.data), errors: gathered.errors })
  }

  /** What makes an answer of an event. Every event has loaders of its own. */
  const eventResult = (operation: PlannedOperation, request: RunRequest) => {
    const { direct, plain } = operation
    if (direct) return formatResult
    const forEvent = () => ({ ...request, context: { ...request.context } })
    if (plain) return (event: ExecutionResult) => runPlain(plain, forEvent(), plainData(event))
    const apollo = apolloOf(operation)
    const plan = eventPlan(apollo.plan)
    return (event: ExecutionResult) => {
      const once: GraphSource = { execute: async () => plainData(event), subscribe: async () => event }
      return runApollo(apollo, plan, { ...forEvent(), sources: { ...sources, [eventService]: once } })
    }
  }

  return {
    async run(operation, request) {
      const { direct, plain } = operation
      if (direct) {
        const asked = sourceRequest(direct, request.variables, request.context)
        return formatResult(await sourceOf(sources, direct).execute(asked))
      }
      if (plain) return runPlain(plain, request)
      const apollo = apolloOf(operation)
      return runApollo(apollo, apollo.plan, { ...request, sources })
    },

    async stream(operation, request) {
      const { primary } = operation
      if (!primary) throw new GraphQLError('This operation is not a subscription.')
      const asked = sourceRequest(primary, request.variables, request.context)
      const opened = await sourceOf(sources, primary).subscribe(asked)
      if (!(Symbol.asyncIterator in opened)) return formatResult(opened)
      return endWithErrors(opened, eventResult(operation, request), request.context)
    },
  }
}

function apolloOf({ apollo, operation }: PlannedOperation): ApolloPlan {
  if (!apollo) throw new Error(`the plan of ${operation.name?.value} can be run in no way`)
  return apollo
}

/** A subscription's plan as that of one event: the event stands in it as a fetch. */
function eventPlan({ node }: QueryPlan): QueryPlan {
  if (node?.kind !== 'Subscription') throw new Error('only subscriptions have events')
  const event = { ...node.primary, serviceName: eventService }
  return {
    kind: 'QueryPlan',
    node: { kind: 'Sequence', nodes: [event, ...(node.rest ? [node.rest] : [])] },
  }
}

/** Events may hold shared objects with a `toJSON`; merging other subgraphs' fields needs plain, own ones. */
function plainData(event: ExecutionResult): ExecutionResult {
  return { ...event, data: JSON.parse(JSON.stringify(event.data ?? null)) }
}
