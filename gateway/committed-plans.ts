import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner'
import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  print,
} from 'graphql'
import { fragmentsOf, shapedPlan } from './plain-plan.ts'
import type { PlannedOperation } from './planned-operation.ts'

/** The plan of one of the platform's own operations, as `npm run generate` writes it into `schema/plans.json`. */
export interface CommittedPlan {
  /** The whole document, printed. */
  readonly document: string
  /** Whether one fetch is the whole plan and its result the answer; if not, our executor runs the plan. */
  readonly direct: boolean
  readonly plan: NonNullable<QueryPlan['node']>
}

/** Plans by the names of their operations. */
export type CommittedPlans = Readonly<Record<string, CommittedPlan>>

/** What is committed of a plan; null for one that only Apollo's executor can run, which needs the planner's own schema. */
export function committedPlan(
  document: DocumentNode,
  { direct, plain, apollo }: PlannedOperation,
): CommittedPlan | null {
  const plan = apollo?.plan.node
  if (!plan || !(direct || plain)) return null
  return {
    document: print(document),
    direct: direct !== null,
    // texts say the same as the syntax trees, which are ten times as long
    plan: JSON.parse(
      JSON.stringify(plan, (key, value) => (key === 'operationDocumentNode' ? undefined : value)),
    ),
  }
}

/**
 * Looks committed plans up, so that the platform's own operations run without the planner and a validation.
 * @returns a function that gives null for a document of which none is committed, or another of that name
 */
export function plansOnFile(
  plans: CommittedPlans,
  supergraphSdl: string,
): (document: DocumentNode) => PlannedOperation | null {
  let known: GraphQLSchema | undefined
  const schema = () => {
    known ??= buildASTSchema(parse(supergraphSdl, { noLocation: true }), {
      assumeValid: true,
      assumeValidSDL: true,
    })
    return known
  }
  return (document) => {
    const operation = getOperationAST(document)
    const name = operation?.name?.value
    const committed = name !== undefined && Object.hasOwn(plans, name) ? plans[name] : undefined
    if (!operation || !committed || committed.document !== print(document)) return null
    return restored(committed, document, operation, schema)
  }
}

function restored(
  { direct, plan }: CommittedPlan,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  schema: () => GraphQLSchema,
): PlannedOperation {
  const primary = plan.kind === 'Subscription' ? withDocument(plan.primary) : null
  const rest = plan.kind === 'Subscription' ? plan.rest : plan
  const node = rest && withDocuments(rest)
  const fetch = primary ?? (node?.kind === 'Fetch' ? node : null)
  const context = () => ({ schema: schema(), operation, fragments: fragmentsOf(document) })
  return {
    kind: operation.operation,
    operation,
    primary,
    direct: direct ? fetch : null,
    plain: direct || !node ? null : shapedPlan(context(), document, node),
    apollo: null,
  }
}

function withDocuments(node: PlanNode): PlanNode {
  switch (node.kind) {
    case 'Fetch':
      return withDocument(node)
    case 'Flatten':
      return { ...node, node: withDocuments(node.node) as typeof node.node }
    case 'Sequence':
    case 'Parallel':
      return { ...node, nodes: node.nodes.map(withDocuments) }
    default:
      throw new Error(`no plan with a ${node.kind} is committed`)
  }
}

function withDocument(fetch: FetchNode): FetchNode {
  return { ...fetch, operationDocumentNode: parse(fetch.operation, { noLocation: true }) }
}
