import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'

function parseDate(value: unknown): Date {
  const date = typeof value === 'string' ? new Date(value) : undefined
  if (date && !Number.isNaN(date.getTime())) return date
  throw new GraphQLError('A DateTime is an RFC 3339 string such as 2026-01-31T12:00:00.000Z.', {
    extensions: { code: 'BAD_USER_INPUT' },
  })
}

function serializeDate(value: unknown): string {
  const date = value instanceof Date ? value : new Date(String(value))
  if (Number.isNaN(date.getTime())) throw new GraphQLError('A DateTime could not be read.')
  return date.toISOString()
}

/** The resolvers of the scalars in `schema/shared.graphql`. Dates leave as text, whatever PostgreSQL's driver made of them. */
export const scalarResolvers = {
  DateTime: new GraphQLScalarType<Date, string>({
    name: 'DateTime',
    serialize: serializeDate,
    parseValue: parseDate,
    parseLiteral: (node: ValueNode) => parseDate(node.kind === Kind.STRING ? node.value : undefined),
  }),
  JSON: new GraphQLScalarType<unknown, unknown>({
    name: 'JSON',
    serialize: (value) => value,
    parseValue: (value) => value,
    parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
  }),
}
