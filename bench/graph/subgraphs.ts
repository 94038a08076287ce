import { buildSubgraphSchema } from '@apollo/subgraph'
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper/resolverMap.js'
import { type GraphQLSchema, parse } from 'graphql'

/** Two subgraphs of the platform's own shape, cut down to what the benched query asks for, with their rows in memory. */
export const subgraphNames = ['conversations', 'projects'] as const

export type SubgraphName = (typeof subgraphNames)[number]

/** Two hops: a page of conversations from one subgraph, then the project of each from the other. */
export const twoHopQuery = '{ conversations(first: 20) { nodes { id title project { id name } } } }'

/** How many conversations there are, each with a project of its own. */
export const rowCount = 20

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])'

const definitions: Record<SubgraphName, { sdl: string; resolvers: GraphQLResolverMap<unknown> }> = {
  conversations: {
    sdl: `${link}
      type Query { conversations(first: Int! = 20): ConversationConnection! }
      type ConversationConnection { nodes: [Conversation!]! }
      type Conversation @key(fields: "id") { id: ID! title: String! project: Project }
      type Project @key(fields: "id", resolvable: false) { id: ID! }`,
    resolvers: {
      Query: { conversations: (_, { first }) => ({ nodes: conversations.slice(0, first) }) },
    },
  },
  projects: {
    sdl: `${link}
      type Query { project(id: ID!): Project }
      type Project @key(fields: "id") { id: ID! name: String! }`,
    resolvers: {
      Query: { project: (_, { id }) => projectOf(id) },
      Project: { __resolveReference: ({ id }: { id: string }) => projectOf(id) },
    },
  },
}

const conversations = Array.from({ length: rowCount }, (_, at) => ({
  id: `conv_${at}`,
  title: `The conversation about question number ${at}`,
  project: { __typename: 'Project', id: `proj_${at}` },
}))

function projectOf(id: string) {
  return { __typename: 'Project', id, name: `The project ${id}` }
}

export function typeDefsOf(name: SubgraphName) {
  return parse(definitions[name].sdl)
}

export function schemaOf(name: SubgraphName): GraphQLSchema {
  return buildSubgraphSchema({ typeDefs: typeDefsOf(name), resolvers: definitions[name].resolvers })
}
