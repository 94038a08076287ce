import { z } from 'zod'
import { type PageArguments, toPage } from '../platform/pagination.ts'

/** What every answer of ours carries beside its data. */
export interface Meta {
  readonly request_id: string
  readonly api_version: 'v1'
}

/** The `meta` of an answer. */
export const metaOf = (requestId: string): Meta => ({ request_id: requestId, api_version: 'v1' })

/** Contract 8.1, shape D: the resource's fields at the top and again under `data`, so that both kinds of client find them. */
export function dual<Resource extends object>(resource: Resource, requestId: string) {
  return { ...resource, data: resource, meta: metaOf(requestId) }
}

/** The page of a connection, as operations select it. */
export interface NodesPage<Node> {
  readonly nodes: readonly Node[]
  readonly pageInfo: { readonly hasNextPage: boolean }
  readonly totalCount?: number
}

/** Contract 8.3: the list envelope. `next_after` is null on the last page. */
export function list<Node, Resource extends { readonly id: string }>(
  page: NodesPage<Node>,
  present: (node: Node) => Resource,
  requestId: string,
) {
  const data = page.nodes.map(present)
  return {
    object: 'list' as const,
    data,
    ...placeOf(
      data.map(({ id }) => id),
      page.pageInfo.hasNextPage,
    ),
    ...(page.totalCount === undefined ? {} : { total: page.totalCount }),
    meta: metaOf(requestId),
  }
}

/** Contract 8.3: where a page stands in its list, told in the ids of what is on it. */
export function placeOf(ids: readonly string[], hasMore: boolean) {
  const last = ids.at(-1) ?? null
  const nextAfter = hasMore ? last : null
  return {
    first_id: ids[0] ?? null,
    last_id: last,
    has_more: hasMore,
    next_after: nextAfter,
    next_cursor: nextAfter,
  }
}

const wholeNumber = z.string().regex(/^\d+$/, 'must be a whole number')

/** The largest number that GraphQL's `Int` holds: what is more can only mean "as many as there are". */
const largestInt = 2 ** 31 - 1

const toInt = (digits: string) => Math.min(Number(digits), largestInt)

/** A whole number as the graph can take it, for quantities whose own maximum comes long before; null for none. */
export function boundedInt(value: number | null | undefined): number | null {
  return value == null ? null : Math.max(-largestInt, Math.min(value, largestInt))
}

/** The paging parameters of list routes (contract 8.3). `cursor` is another name of `after`. */
export const pageQuery = z.object({
  limit: wholeNumber.optional().describe('How many, 1 to 100; more count as 100. 20 by default.'),
  after: z.string().optional().describe('The id of the last object that was seen.'),
  cursor: z.string().optional().describe('Another name of `after`.'),
  order: z.enum(['asc', 'desc']).optional().describe('By creation; newest first by default.'),
  offset: wholeNumber.optional().describe('How many to skip; wins over `after`.'),
})

/** The arguments of a connection field from the query parameters of a list route. An empty cursor is none. */
export function pageArguments({
  limit,
  after,
  cursor,
  order,
  offset,
}: z.output<typeof pageQuery>): PageArguments {
  return {
    first: limit === undefined ? null : toInt(limit),
    after: after || cursor || null,
    offset: offset === undefined ? null : toInt(offset),
    order: order === undefined ? null : order === 'asc' ? 'ASC' : 'DESC',
  }
}

/** How many a page holds at most. */
export function pageSize({ limit }: Pick<z.output<typeof pageQuery>, 'limit'>): number {
  return toPage(pageArguments({ limit })).limit
}

/** Unix seconds of a graph's `DateTime` (contract R22). */
export function unixSeconds(dateTime: string): number {
  return Math.floor(Date.parse(dateTime) / 1000)
}

/** The same, for a moment that may not have come. */
export function optionalUnixSeconds(dateTime: string | null | undefined): number | null {
  return dateTime == null ? null : unixSeconds(dateTime)
}

/** The request id of examples. */
const exampleRequest = 'req_8irno600lfn2g9jymmog3vsk'

/** `meta` in examples. */
export const exampleMeta = metaOf(exampleRequest)

/** The schema of `meta`. */
export const metaSchema = z
  .object({ request_id: z.string().describe('The id of this request.'), api_version: z.literal('v1') })
  .meta({
    id: 'Meta',
    description: 'About the answer itself.',
    examples: [metaOf(exampleRequest)],
  })

/** The first example that a schema has been given, where it is an object. */
function exampleResource(resource: z.ZodType): object | null {
  const examples: unknown = resource.meta()?.examples
  const [example] = Array.isArray(examples) ? (examples as unknown[]) : []
  return typeof example === 'object' ? example : null
}

/** The schema of shape D around a resource's schema. */
export function dualOf<Resource extends z.ZodType>(resource: Resource) {
  const schema = resource.and(
    z.object({ data: resource.describe('The same again, for clients that look here.'), meta: metaSchema }),
  )
  const example = exampleResource(resource)
  return example ? schema.meta({ examples: [dual(example, exampleRequest)] }) : schema
}

/** The schema of `placeOf`. */
export const placeSchema = z.object({
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
  next_after: z.string().nullable().describe('What to pass as `after` for the next page; null on the last.'),
  next_cursor: z.string().nullable().describe('The same as `next_after`.'),
})

const pageSchema = z
  .object({
    object: z.literal('list'),
    ...placeSchema.shape,
    total: z.number().int().optional().describe('How many there are on all pages, where that is counted.'),
    meta: metaSchema,
  })
  .meta({ id: 'Page', description: 'What lists have beside their `data`.' })

/** The schema of shape L around a resource's schema. */
export function listOf<Resource extends z.ZodType>(resource: Resource) {
  const schema = pageSchema.and(z.object({ data: z.array(resource) }))
  const example = exampleResource(resource) as { id: string } | null
  if (!example) return schema
  const page = { nodes: [example], pageInfo: { hasNextPage: false } }
  return schema.meta({ examples: [list(page, (node) => node, exampleRequest)] })
}

/** The schema of an administrators' list (contract 8.3). */
export const adminListOf = <Resource extends z.ZodType>(resource: Resource) =>
  z.object({
    data: z.array(resource),
    total: z
      .int()
      .describe('How many there are on all pages.')
      .meta({ examples: [1] }),
    limit: z
      .int()
      .describe('How many a page holds at most.')
      .meta({ examples: [20] }),
  })

/** What a deletion answers. */
export const deletedOf = (object: string, exampleId: string) =>
  z.object({
    id: z.string().meta({ examples: [exampleId] }),
    object: z.literal(object),
    deleted: z.literal(true),
  })
