import { createServer } from 'node:http'
import { graphql } from 'graphql'
import { type SubgraphName, schemaOf } from './subgraphs.ts'

/**
 * A plain subgraph: `node bench/graph/subgraph-server.ts NAME PORT`. What is measured is the gateway before it, so that it
 * answers each body that it has seen before from memory.
 */
const [name = '', port = ''] = process.argv.slice(2)
const schema = schemaOf(name as SubgraphName)
const answers = new Map<string, string>()

createServer(async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const answer = await answerTo(Buffer.concat(parts).toString())
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) })
    .end(answer)
}).listen(Number(port), '127.0.0.1')

async function answerTo(body: string): Promise<string> {
  const known = answers.get(body)
  if (known !== undefined) return known
  const { query = '{ __typename }', variables } = JSON.parse(body || '{}') as Asked
  const answer = JSON.stringify(await graphql({ schema, source: query, variableValues: variables ?? null }))
  answers.set(body, answer)
  return answer
}

interface Asked {
  readonly query?: string
  readonly variables?: Record<string, unknown>
}
