import { composeServices } from '@apollo/composition'
import { freePort } from '../../platform/testing/free-port.ts'
import { type RunningChild, startChild } from '../child-process.ts'
import { type SubgraphName, subgraphNames, typeDefsOf } from './subgraphs.ts'

/** Both subgraphs behind HTTP, and what a gateway must know of them. */
export interface RunningSubgraphs {
  readonly supergraphSdl: string
  readonly urls: Readonly<Record<SubgraphName, string>>
  stop(): Promise<void>
}

/** Starts the two servers: they belong to the load, as an upstream does. */
export async function startSubgraphs(): Promise<RunningSubgraphs> {
  const children: RunningChild[] = []
  const urls = { conversations: '', projects: '' }
  for (const name of subgraphNames) {
    const port = await freePort()
    urls[name] = `http://127.0.0.1:${port}`
    children.push(
      await startChild({
        script: 'bench/graph/subgraph-server.ts',
        args: [name, String(port)],
        readyUrl: urls[name],
        isLoad: true,
      }),
    )
  }
  return {
    urls,
    supergraphSdl: composed(urls),
    async stop() {
      for (const child of children) await child.stop()
    },
  }
}

/** The supergraph of the two, with the URLs at which they answer. */
export function composed(urls: Readonly<Record<SubgraphName, string>>): string {
  const { supergraphSdl, errors } = composeServices(
    subgraphNames.map((name) => ({ name, typeDefs: typeDefsOf(name), url: `${urls[name]}/graphql` })),
  )
  if (supergraphSdl === undefined) throw new Error(errors?.map(({ message }) => message).join('\n'))
  return supergraphSdl
}
