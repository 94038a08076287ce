import { readdirSync, readFileSync } from 'node:fs'
import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { prettyFormatQueryPlan, QueryPlanner } from '@apollo/query-planner'
import { describe, expect, it } from '@jest/globals'
import { type DocumentNode, Kind, parse, separateOperations } from 'graphql'

const root = new URL('..', import.meta.url)
const supergraph = Supergraph.build(readFileSync(new URL('schema/supergraph.graphql', root), 'utf8'))
const planner = new QueryPlanner(supergraph)

/** Every operation that the platform itself sends, by the file that it stands in. */
const files = [
  'rest-adapter/operations',
  'wiring/operations',
  'subgraphs/conversations/operations',
  'subgraphs/models/operations',
].flatMap((folder) => readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`))

function planOf(document: DocumentNode): string {
  return prettyFormatQueryPlan(planner.buildQueryPlan(operationFromDocument(supergraph.schema, document)))
}

function operationsOf(file: string): [string, DocumentNode][] {
  return Object.entries(separateOperations(parse(readFileSync(new URL(file, root), 'utf8'))))
}

describe('query plans', () => {
  for (const file of files) {
    it.each(operationsOf(file))(`${file}: %s`, (_name, document) => {
      expect(planOf(document)).toMatchSnapshot()
    })
  }

  it('of a mutation or a subscription on the main path are one fetch', () => {
    const single = [
      'CompleteChat',
      'StreamChat',
      'Embed',
      'VerifyCredentials',
      'TurnContext',
      'ProjectInstruction',
      'BeginTurn',
      'CheckpointTurn',
      'FinishTurn',
      'AppendTurn',
      'RecordUsage',
    ]
    const documents = new Map(files.flatMap(operationsOf))
    for (const name of single) {
      const document = documents.get(name)
      if (!document) throw new Error(`there is no operation ${name}`)
      expect(document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION)).toBe(true)
      const node = planner.buildQueryPlan(operationFromDocument(supergraph.schema, document)).node
      const fetch = node?.kind === 'Subscription' ? (node.rest ?? node.primary) : node
      expect({ name, kind: fetch?.kind }).toEqual({ name, kind: 'Fetch' })
    }
  })

  it('of the README’s join asks each subgraph once, after the conversation', () => {
    const join = parse(`{
      conversation(id: "conv_0000000000000000") {
        title
        project { name }
        items(first: 10) { nodes { role text model { displayName } } }
      }
    }`)
    expect(planOf(join)).toMatchSnapshot()
  })
})
