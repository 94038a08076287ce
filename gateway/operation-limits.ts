import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth'
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives'
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  type ValidationRule,
} from 'graphql'
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity'

/** Levels of fields; the joins that the graph is made for need about eight. */
const maxDepth = 15
const maxAliases = 50
const maxDirectives = 50
/** Objects that an operation may ask for, all pages multiplied. */
const maxCost = 20_000
/** Selections that are looked at, every spread of a fragment counted. */
const maxSelections = 5_000

/** The largest page of any connection, and how many entries a list without pages is taken to have. */
const maxPage = 100
const defaultPage = 20
const assumedEntries = 10

/** What keeps one operation of a client from costing like a thousand. */
export interface OperationLimits {
  /** Checked together with the operation's validity, before it is planned. */
  readonly rules: readonly ValidationRule[]
  /**
   * Estimates how many objects an operation asks for: each connection multiplies what is below it by its page size.
   * @throws GraphQLError `GRAPHQL_VALIDATION_FAILED` when they are too many
   */
  assertAffordable(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | undefined,
    variables: Record<string, unknown>,
  ): void
}

export const clientLimits: OperationLimits = {
  rules: [
    maxDepthRule({ n: maxDepth, flattenFragments: true }),
    maxAliasesRule({ n: maxAliases }),
    maxDirectivesRule({ n: maxDirectives }),
  ] as unknown as readonly ValidationRule[],

  assertAffordable(schema, document, operationName, variables) {
    const cost = estimate(schema, document, operationName, variables)
    if (cost <= maxCost) return
    throw refused(
      `This operation asks for up to ${cost} objects; at most ${maxCost} are answered. Ask for smaller pages.`,
    )
  },
}

function estimate(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | undefined,
  variables: Record<string, unknown>,
): number {
  try {
    return getComplexity({
      schema,
      query,
      variables,
      ...(operationName === undefined ? {} : { operationName }),
      estimators: [objects],
      maxQueryNodes: maxSelections,
    })
  } catch (error) {
    // Its other faults, as of a variable's value, are found and told of elsewhere.
    if (!/exceeds the maximum/i.test(String(error))) return 0
    throw refused(`This operation has more than ${maxSelections} selections.`)
  }
}

/** One for each object, whatever fields of its own are asked for. */
const objects: ComplexityEstimator = ({ field, args, childComplexity }) => {
  if (isLeafType(getNamedType(field.type))) return 0
  if (isConnection(field.type)) return pageSize(args.first) * Math.max(childComplexity, 1)
  const entries = isListType(getNullableType(field.type)) && !isPage(field.name) ? assumedEntries : 1
  return entries * (1 + childComplexity)
}

function isConnection(type: GraphQLOutputType): boolean {
  return getNamedType(type).name.endsWith('Connection')
}

/** The lists inside a connection: its page size stands at the connection itself. */
function isPage(name: string): boolean {
  return name === 'nodes' || name === 'edges'
}

/** Sizes out of range are refused where the page is read. */
function pageSize(first: unknown): number {
  return typeof first === 'number' ? Math.min(Math.max(first, 1), maxPage) : defaultPage
}

/** What the rules throw, without the prefix that they borrow from the parser. */
export function limitError(thrown: unknown): unknown {
  if (!(thrown instanceof GraphQLError) || !thrown.message.startsWith('Syntax Error: ')) return thrown
  return refused(thrown.message.slice('Syntax Error: '.length))
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
}
