import { type DocumentNode, type ExecutionResult, GraphQLError, getVariableValues } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { toAppError, toGraphQLError } from '../platform/errors.ts'
import type { GraphSource } from './graph-source.ts'
import type { SchemaView } from './operation-planner.ts'
import { createPlanRunner } from './plan-runner.ts'
import type { PlannedOperation, PlanOperation } from './planned-operation.ts'

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

/** Runs operations over one view of the supergraph. Faults are results with `errors`; only `kindOf` rejects. */
export interface OperationRunner {
  /** The kind of an operation, planned in passing. @throws GraphQLError when it is not valid */
  kindOf(request: Pick<OperationRequest, 'document' | 'operationName'>): Promise<PlannedOperation['kind']>
  /** Null for what can't be run once and answered: `execute` tells why. */
  admit(request: Omit<OperationRequest, 'context'>): Promise<AdmittedOperation | null>
  execute(request: OperationRequest): Promise<ExecutionResult>
  subscribe(request: OperationRequest): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
}

/** The pieces that a runner works on. */
export interface RunnerParts {
  /** Called once for each document and name. */
  readonly plan: PlanOperation
  readonly sources: Readonly<Record<string, GraphSource>>
  /** What clients' variables are checked against; null for the platform's own, which the subgraphs alone check. */
  readonly checked: Pick<SchemaView, 'graphql' | 'limits'> | null
}

export function createOperationRunner({ plan, sources, checked }: RunnerParts): OperationRunner {
  const runner = createPlanRunner(sources)
  const planned = new WeakMap<DocumentNode, Map<string | undefined, PlannedOperation>>()

  const prepare = async ({
    document,
    operationName,
  }: Pick<OperationRequest, 'document' | 'operationName'>) => {
    const byName = planned.get(document) ?? new Map<string | undefined, PlannedOperation>()
    planned.set(document, byName)
    const operation = byName.get(operationName) ?? (await plan(document, operationName))
    byName.set(operationName, operation)
    return operation
  }

  const variableFaults = ({ operation }: PlannedOperation, variables: Record<string, unknown>) => {
    if (!checked) return undefined
    const definitions = operation.variableDefinitions ?? []
    return getVariableValues(checked.graphql, definitions, variables, { maxErrors: 10 }).errors?.map(
      ({ message, nodes }) =>
        new GraphQLError(message, { nodes: nodes ?? null, extensions: { code: 'BAD_USER_INPUT' } }),
    )
  }

  const assertAffordable = ({ document, operationName, variables }: Omit<OperationRequest, 'context'>) => {
    if (!checked || Object.keys(variables).length === 0) return
    checked.limits?.assertAffordable(checked.graphql, document, operationName, variables)
  }

  /** @throws GraphQLError for one fault; those of variables are all told */
  const admission = async (
    request: Omit<OperationRequest, 'context'>,
  ): Promise<PlannedOperation | GraphQLError[]> => {
    const operation = await prepare(request)
    if (operation.kind === 'subscription') return [notAStream()]
    const faults = variableFaults(operation, request.variables)
    if (faults) return faults
    assertAffordable(request)
    return operation
  }

  return {
    kindOf: async (request) => (await prepare(request)).kind,

    async admit(request) {
      try {
        const operation = await admission(request)
        if (Array.isArray(operation)) return null
        return { run: (context) => settle(context, () => runner.run(operation, { ...request, context })) }
      } catch {
        // whoever executes it instead finds the same, and tells it
        return null
      }
    },

    async execute(request) {
      return settle(request.context, async () => {
        const operation = await admission(request)
        return Array.isArray(operation) ? { errors: operation } : runner.run(operation, request)
      })
    },

    async subscribe(request) {
      return settle(request.context, async () => {
        const operation = await prepare(request)
        const errors = variableFaults(operation, request.variables)
        if (errors) return { errors }
        assertAffordable(request)
        return runner.stream(operation, request)
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
