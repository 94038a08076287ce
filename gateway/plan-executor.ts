import type { FetchNode, PlanNode } from '@apollo/query-planner'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { entitiesAt, merge, pathsTo, representationOf } from './entities.ts'
import { type GraphSource, sourceOf, sourceRequest } from './graph-source.ts'

/** What a plan gathered, before it is cut to what was asked for. */
export interface Gathered {
  readonly data: Record<string, unknown>
  readonly errors: GraphQLError[]
}

/** What a plan runs with. */
export interface PlanRequest {
  readonly sources: Readonly<Record<string, GraphSource>>
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/** Runs a plain plan (`plain-plan.ts`), adding to what is gathered already. Failures of subgraphs are among its errors. */
export async function executePlan(node: PlanNode, gathered: Gathered, request: PlanRequest): Promise<void> {
  if (node.kind === 'Sequence') {
    for (const each of node.nodes) await executePlan(each, gathered, request)
  } else if (node.kind === 'Parallel') {
    await Promise.all(node.nodes.map((each) => executePlan(each, gathered, request)))
  } else if (node.kind === 'Flatten' && node.node.kind === 'Fetch') {
    await fetchEntities(node.node, node.path as readonly string[], gathered, request)
  } else if (node.kind === 'Fetch') {
    await fetchRoot(node, gathered, request)
  } else {
    throw new Error(`a plain plan has no ${node.kind}`)
  }
}

async function fetchRoot(fetch: FetchNode, { data, errors }: Gathered, request: PlanRequest): Promise<void> {
  const result = await ask(fetch, request)
  if (result.data) merge(data, result.data)
  for (const error of result.errors ?? []) errors.push(placed(error, error.path))
}

/** Asks for fields of the objects at a path, by their keys. */
async function fetchEntities(
  fetch: FetchNode,
  path: readonly string[],
  { data, errors }: Gathered,
  request: PlanRequest,
): Promise<void> {
  const found = entitiesAt(data, path)
  const entities: Record<string, unknown>[] = []
  const positions: number[] = []
  const representations: unknown[] = []
  for (const [position, entity] of found.entries()) {
    const representation = representationOf(entity, fetch.requires ?? [])
    if (!representation) continue
    entities.push(entity)
    positions.push(position)
    representations.push(representation)
  }
  if (representations.length === 0) return
  const result = await ask(fetch, request, representations)
  const received = result.data?._entities
  if (Array.isArray(received)) mergeEach(entities, received)
  if (!result.errors?.length) return
  const paths = pathsTo(data, path)
  for (const error of result.errors) {
    const [, number, ...rest] = error.path ?? []
    const at = typeof number === 'number' ? paths[positions[number] ?? -1] : undefined
    errors.push(placed(error, at ? [...at, ...rest] : aboveLists(path)))
  }
}

/** What is known of the place of a fetch that failed as a whole. */
function aboveLists(path: readonly string[]): readonly string[] {
  const list = path.indexOf('@')
  return list === -1 ? path : path.slice(0, list)
}

function ask(fetch: FetchNode, { sources, variables, context }: PlanRequest, representations?: unknown[]) {
  const request = sourceRequest(fetch, variables, context)
  if (representations) request.variables.representations = representations
  return sourceOf(sources, fetch).execute(request)
}

function mergeEach(entities: readonly Record<string, unknown>[], received: readonly unknown[]): void {
  if (received.length !== entities.length) throw new Error('a subgraph left out entities')
  for (const [at, entity] of entities.entries()) merge(entity, received[at])
}

function placed(
  { message, extensions }: GraphQLError | GraphQLFormattedError,
  path: GraphQLError['path'],
): GraphQLError {
  return new GraphQLError(message, {
    path: path ?? null,
    extensions: { ...extensions, code: extensions?.code ?? 'DOWNSTREAM_SERVICE_ERROR' },
  })
}
