import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { prettyFormatQueryPlan, QueryPlanner } from '@apollo/query-planner'
import { describe, expect, it } from '@jest/globals'
import { type DocumentNode, getOperationAST, parse } from 'graphql'
import { type CommittedPlans, plansOnFile } from '../gateway/committed-plans.ts'

const root = new URL('..', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const supergraphSdl = read('schema/supergraph.graphql')
const plans = JSON.parse(read('schema/plans.json')) as CommittedPlans

/** The documents that the platform itself sends. That their plans are the planner's is `scripts/generate-plans.ts --check`. */
async function ownDocuments(): Promise<DocumentNode[]> {
  const files = globSync('{rest-adapter,wiring,subgraphs/*}/operations.generated.ts', {
    cwd: fileURLToPath(root),
  })
  const modules = await Promise.all(files.map((file) => import(new URL(file, root).href)))
  const documents = modules.flatMap((module: Record<string, DocumentNode>) => Object.values(module))
  return documents.filter((document) => getOperationAST(document))
}

describe('query plans', () => {
  it('of everything that the platform sends are on file, so that nothing of it waits for the planner', async () => {
    const planned = plansOnFile(plans, supergraphSdl)
    const documents = await ownDocuments()
    expect(documents.length).toBeGreaterThan(40)
    const ways = documents.map((document) => {
      const operation = planned(document)
      return { name: getOperationAST(document)?.name?.value, way: operation?.direct ?? operation?.plain }
    })
    expect(ways.filter(({ way }) => !way)).toEqual([])
    expect(new Set(ways.map(({ name }) => name))).toEqual(new Set(Object.keys(plans)))
  })

  it.each([
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
  ])('of %s, which is on the main path, are one fetch that is the answer', (name) => {
    const { plan, direct } = plans[name] ?? {}
    const fetch = plan?.kind === 'Subscription' ? (plan.rest ?? plan.primary) : plan
    expect({ kind: fetch?.kind, direct }).toEqual({ kind: 'Fetch', direct: true })
  })

  it('of the README’s join asks each subgraph once, after the conversation', () => {
    const supergraph = Supergraph.build(supergraphSdl)
    const join = parse(`{
      conversation(id: "conv_0000000000000000") {
        title
        project { name }
        items(first: 10) { nodes { role text model { displayName } } }
      }
    }`)
    const plan = new QueryPlanner(supergraph).buildQueryPlan(operationFromDocument(supergraph.schema, join))
    expect(prettyFormatQueryPlan(plan)).toMatchSnapshot()
  })
})
