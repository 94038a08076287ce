import type { RequestHandler } from 'express'
import { type DocumentNode, GraphQLError, Kind, parse, visit } from 'graphql'
import { LRUCache } from 'lru-cache'
import { assertUncrowded } from './crowded-operations.ts'

/** An operation as GraphQL over HTTP carries it. */
export interface OperationParams {
  readonly query: string
  readonly operationName: string | undefined
  readonly variables: Record<string, unknown>
}

/** Parses operations, each text once: the document's identity is what plans are kept by. */
export interface OperationParser {
  /**
   * @throws GraphQLError `GRAPHQL_PARSE_FAILED`; `GRAPHQL_VALIDATION_FAILED` for introspection where that is closed
   * @throws AppError `invalid_parameter` for a crowd (`assertUncrowded`)
   */
  parse(query: string): DocumentNode
  /** The same; null in place of a GraphQLError. */
  orNull(query: string): DocumentNode | null
}

/** A plan goes with every document and weighs some hundred bytes for each of its characters. */
const cachedTextLength = 1_000_000

/** The longest operation that is read. */
export const maxTokens = 10_000

/** @param introspection whether operations may ask for the schema */
export function createOperationParser({ introspection }: { introspection: boolean }): OperationParser {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: cachedTextLength,
    sizeCalculation: (_document, text) => text.length + 1,
  })
  const parser: OperationParser = {
    parse(query) {
      const known = documents.get(query)
      if (known) return known
      const document = parseText(query)
      assertUncrowded(document)
      if (!introspection) refuseIntrospection(document)
      documents.set(query, document)
      return document
    },
    orNull(query) {
      try {
        return parser.parse(query)
      } catch (error) {
        if (error instanceof GraphQLError) return null
        throw error
      }
    },
  }
  return parser
}

function parseText(query: string): DocumentNode {
  try {
    return parse(query, { maxTokens })
  } catch (error) {
    // the parser descends by calling itself: values nested some thousand levels deep exhaust the stack
    if (error instanceof RangeError)
      throw new GraphQLError('Syntax Error: Document is nested too deeply.', {
        extensions: { code: 'GRAPHQL_PARSE_FAILED' },
      })
    if (!(error instanceof GraphQLError)) throw error
    throw new GraphQLError(error.message, {
      nodes: error.nodes ?? null,
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    })
  }
}

function refuseIntrospection(document: DocumentNode): void {
  visit(document, {
    [Kind.FIELD]: ({ name }) => {
      if (name.value !== '__schema' && name.value !== '__type') return
      throw new GraphQLError('Introspection is closed here.', {
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      })
    },
  })
}

/** The parameters of an operation out of a parsed body; null when they are not of the right types. */
export function operationParams(body: unknown): OperationParams | null {
  if (typeof body !== 'object' || body === null) return null
  const { query, operationName, variables } = body as Record<string, unknown>
  if (typeof query !== 'string') return null
  if (operationName != null && typeof operationName !== 'string') return null
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) return null
  return {
    query,
    operationName: operationName ?? undefined,
    variables: (variables ?? {}) as Record<string, unknown>,
  }
}

/** For what is validated elsewhere, as Apollo Server does by itself: refuses before that what the parser refuses for its size. */
export function refuseCrowds(parser: OperationParser): RequestHandler {
  return (request, _response, next) => {
    const { query } = (request.method === 'GET' ? request.query : (request.body ?? {})) as { query?: unknown }
    if (typeof query === 'string') parser.orNull(query)
    next()
  }
}
