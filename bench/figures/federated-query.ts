import { graphCall } from '../calls.ts'
import { closedLoop } from '../closed-loop.ts'
import type { Contestant, Figure } from '../figure.ts'
import { rowCount, twoHopQuery } from '../graph/subgraphs.ts'
import { median, percentile } from '../statistics.ts'
import type { Target } from '../targets/target.ts'

const call = graphCall(twoHopQuery)

const sample: Contestant['sample'] = async (target, { seconds }) => {
  const { exchanges, ...result } = await closedLoop(target, {
    connections: 50,
    seconds,
    nextCall: () => call,
    countIn: (text) => (text.includes('"errors"') ? 1 : 0),
  })
  if (result.counted > 0) throw new Error(`${result.counted} answers had errors`)
  const times = exchanges.map(({ totalMs }) => totalMs)
  return [
    exchanges.length / result.seconds,
    median(times),
    percentile(times, 0.99),
    (result.cpuSeconds * 1e6) / exchanges.length,
  ]
}

const filled = new WeakSet<Target>()

/** The platform's rows are in PostgreSQL, and its caller is signed in. */
const sampleRows: Contestant['sample'] = async (target, round) => {
  if (!filled.has(target)) await fill(target)
  filled.add(target)
  return sample(target, round)
}

export const federatedQuery: Figure = {
  name: 'federated-query',
  title: `A federated query of two hops over ${rowCount} rows, 50 connections`,
  columns: [
    { label: 'requests/s', digits: 0, against: 'ratio', reach: { atLeast: 1.5 } },
    { label: 'p50 ms', digits: 1, against: 'nothing' },
    { label: 'p99 ms', digits: 1, against: 'nothing' },
    { label: 'CPU us/request', digits: 0, against: 'ratio' },
  ],
  baseline: 'hive',
  contestants: [
    { name: 'hive', target: 'hive', sample },
    { name: 'our gateway, same subgraphs', target: 'gateway over http', ours: true, sample },
    { name: 'our gateway, subgraphs inside', target: 'gateway in process', ours: true, sample },
    { name: 'platform, PostgreSQL', target: 'platform', ours: true, sample: sampleRows },
  ],
}

async function fill(target: Target): Promise<void> {
  for (let at = 0; at < rowCount; at++) {
    const project = await create(target, '/v1/projects', { name: `The project number ${at}` })
    await create(target, '/v1/conversations', {
      title: `The conversation about question number ${at}`,
      project_id: project,
    })
  }
}

async function create({ origin, headers }: Target, path: string, body: object): Promise<string> {
  const response = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const { id } = (await response.json()) as { id?: string }
  if (id === undefined) throw new Error(`${path} answered ${response.status}`)
  return id
}
