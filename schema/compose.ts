import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { composeServices } from '@apollo/composition'
import { Supergraph } from '@apollo/federation-internals'
import { buildSubgraphSchema, printSubgraphSchema } from '@apollo/subgraph'
import {
  buildASTSchema,
  concatAST,
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  graphqlSync,
  lexicographicSortSchema,
  parse,
  printSchema,
  Source,
  visit,
} from 'graphql'

/** A subgraph as composition sees it: the shared definitions, its own `schema.graphql`, and the departments in `schema/*.graphql` that extend it, in one document. */
export type SubgraphDefinition = {
  /** The name of its folder, and its name in the supergraph. */
  name: string
  /** The folder, relative to the root. */
  folder: string
  typeDefs: DocumentNode
}

/** The schemas are wrong: `message` lists every fault with the file and line it comes from. */
export class SchemaError extends Error {
  override name = 'SchemaError'
}

/** Every folder under `subgraphs/` that has a `schema.graphql`, by name. Folders are globbed, so that tools need no registry. */
export function readSubgraphs(root: string): SubgraphDefinition[] {
  const shared = parseFile(root, 'schema/shared.graphql')
  return findFiles(root, 'subgraphs/*/schema.graphql').map((path) => {
    const folder = dirname(path)
    const own = [path, ...findFiles(root, `${folder}/schema/*.graphql`)].map((file) => parseFile(root, file))
    return { name: basename(folder), folder, typeDefs: concatAST([shared, ...own]) }
  })
}

/**
 * Composes the supergraph SDL. Routing URLs are placeholders: where a subgraph runs is the wiring's choice.
 * @throws SchemaError when composition fails
 */
export function composeSupergraph(subgraphs: SubgraphDefinition[]): string {
  if (subgraphs.length === 0) throw new SchemaError('No subgraphs/*/schema.graphql was found')
  const result = composeServices(
    subgraphs.map(({ name, typeDefs }) => ({ name, typeDefs, url: `http://${name}.internal/graphql` })),
  )
  if (result.errors) throw new SchemaError(result.errors.map(describe).join('\n'))
  return `${result.supergraphSdl.trimEnd()}\n`
}

/** The schema clients see: descriptions kept, `@inaccessible` elements left out, in alphabetical order. */
export function printApiSchema(supergraphSdl: string): string {
  const api = Supergraph.build(supergraphSdl).apiSchema().toGraphQLJSSchema()
  return `${printSchema(lexicographicSortSchema(api))}\n`
}

/** Every field of the supergraph, `@inaccessible` ones included, without the machinery of federation. */
export function fullSchema(supergraphSdl: string): GraphQLSchema {
  const document = visit(parse(supergraphSdl), {
    SchemaDefinition: (node) => ({ ...node, directives: [] }),
    DirectiveDefinition: () => null,
    ScalarTypeDefinition: dropMachinery,
    EnumTypeDefinition: dropMachinery,
    InputObjectTypeDefinition: dropMachinery,
    Directive: keepOnly(LANGUAGE_DIRECTIVES),
  })
  return buildASTSchema(document)
}

/** A subgraph's own fields, keys and requirements: what its resolvers have to know, without `_entities` and `_service`. */
export function resolverSchema({ folder, typeDefs }: SubgraphDefinition): GraphQLSchema {
  const document = visit(parse(normalised(folder, typeDefs)), {
    SchemaExtension: () => null,
    Directive: keepOnly([...LANGUAGE_DIRECTIVES, 'key', 'requires', 'external', 'provides']),
  })
  return buildASTSchema(concatAST([REFERENCE_DIRECTIVES, document]))
}

/**
 * The whole SDL of a subgraph, with federation's own types and directives: what its process reads (platform/subgraph-schema.ts)
 * and what it answers when it is asked for `_service`.
 * @throws SchemaError when it is not valid
 */
export function wholeSdl({ folder, typeDefs }: SubgraphDefinition): string {
  const { data } = graphqlSync({ schema: built(folder, typeDefs), source: '{ _service { sdl } }' })
  return (data as { _service: { sdl: string } })._service.sdl
}

/** The SDL with its extensions merged, as @apollo/subgraph understands it. */
function normalised(folder: string, typeDefs: DocumentNode): string {
  return printSubgraphSchema(built(folder, typeDefs))
}

function built(folder: string, typeDefs: DocumentNode): GraphQLSchema {
  try {
    return buildSubgraphSchema({ typeDefs })
  } catch (error) {
    throw new SchemaError(`${folder}/schema.graphql: ${error instanceof Error ? error.message : error}`)
  }
}

const LANGUAGE_DIRECTIVES = ['deprecated', 'specifiedBy', 'oneOf']

/** Without these definitions codegen would not know an entity from a plain type. */
const REFERENCE_DIRECTIVES = parse(`
  directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
  directive @requires(fields: String!) on FIELD_DEFINITION
  directive @provides(fields: String!) on FIELD_DEFINITION
  directive @external on OBJECT | FIELD_DEFINITION
`)

function keepOnly(names: string[]) {
  return (node: { name: { value: string } }) => (names.includes(node.name.value) ? undefined : null)
}

/** Composition's own types are the names with a double underscore (`join__Graph`, `link__Import`). */
function dropMachinery(node: { name: { value: string } }): null | undefined {
  return node.name.value.includes('__') ? null : undefined
}

/** Paths from `root`, sorted, with forward slashes on every platform: generated text must not depend on the machine. */
export function findFiles(root: string, ...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
}

/** Parses one GraphQL file; faults name it by its path from the root. */
export function parseFile(root: string, path: string): DocumentNode {
  const file = join(root, path)
  if (!existsSync(file)) throw new SchemaError(`${path} is missing`)
  try {
    return parse(new Source(readFileSync(file, 'utf8'), path))
  } catch (error) {
    throw new SchemaError(isGraphQLError(error) ? describe(error) : `${path}: ${error}`)
  }
}

/** `subgraphs/a/schema.graphql:12 and …: the message`. */
export function describe(error: GraphQLError): string {
  const fromNodes = (error.nodes ?? []).flatMap(({ loc }) =>
    loc ? [`${loc.source.name}:${loc.startToken.line}`] : [],
  )
  const fromSource = error.source ? [`${error.source.name}:${error.locations?.[0]?.line ?? 1}`] : []
  const places = [...new Set(fromNodes.length > 0 ? fromNodes : fromSource)]
  return `${places.join(' and ') || 'schema'}: ${error.message}`
}

function isGraphQLError(error: unknown): error is GraphQLError {
  return error instanceof Error && error.name === 'GraphQLError'
}
