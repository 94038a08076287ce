import { addResolversToSchema } from '@apollo/subgraph/dist/schema-helper/index.js'
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper/resolverMap.js'
import { entitiesResolver } from '@apollo/subgraph/dist/types.js'
import { buildASTSchema, type GraphQLResolveInfo, type GraphQLSchema, isUnionType, parse } from 'graphql'

/**
 * The executable schema of a subgraph, as `buildSubgraphSchema` of @apollo/subgraph makes it, by the half of that package
 * which needs no reading and checking of SDL: that half takes a start's quarter of a second, and is done by `npm run generate`.
 * @param sdl the whole SDL as `_service` tells it, federation's own types and directives included
 */
export function subgraphSchema(sdl: string, resolvers: object): GraphQLSchema {
  const schema = buildASTSchema(parse(sdl, { noLocation: true }), {
    assumeValid: true,
    assumeValidSDL: true,
  })
  const query = schema.getQueryType()?.name
  if (query === undefined) throw new Error('the SDL has no query type: it is not a whole one')
  const entities = isUnionType(schema.getType('_Entity'))
  addResolversToSchema(schema, {
    [query]: { _service: () => ({ sdl }), ...(entities ? { _entities: resolveEntities } : {}) },
    ...(entities ? { _Entity: { __resolveType: ({ __typename }: Typed) => __typename } } : {}),
  } as GraphQLResolverMap<unknown>)
  addResolversToSchema(schema, resolvers as GraphQLResolverMap<unknown>)
  return schema
}

interface Typed {
  readonly __typename: string
}

function resolveEntities(
  _parent: unknown,
  { representations }: { representations: unknown },
  context: unknown,
  info: GraphQLResolveInfo,
) {
  return entitiesResolver({ representations, context, info })
}
