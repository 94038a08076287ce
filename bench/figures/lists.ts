import { Pool } from 'undici'
import { graphCall } from '../calls.ts'
import { datasetSize, ownersConversations } from '../dataset/size.ts'
import { exchange } from '../exchange.ts'
import type { Contestant, Figure } from '../figure.ts'
import { get } from '../get.ts'
import { median } from '../statistics.ts'
import type { Target } from '../targets/target.ts'

const pageSize = 20
const deepPage = Math.min(1_000, Math.floor(ownersConversations / pageSize))
const requests = 300
const warmUp = 50

/** Asks for the page after a cursor. */
type AskPage = (client: Pool, target: Target, after: string | null) => Promise<string>

const overRest: AskPage = (client, target, after) =>
  get(client, target, `/v1/conversations?limit=${pageSize}${after === null ? '' : `&after=${after}`}`)

const query = `query ($after: String) {
  conversations(first: ${pageSize}, after: $after) {
    nodes { id title itemCount updatedAt }
    pageInfo { endCursor hasNextPage }
  }
}`
const overGraph: AskPage = async (client, target, after) =>
  (await exchange(client, target, graphCall(query, { after }))).text

/** The first and the deep page in turn, so that whatever else this machine does hits both alike. */
function bothPages(ask: AskPage): Contestant['sample'] {
  return async (target) => {
    const client = new Pool(target.origin, { connections: 1 })
    const timed = async (after: string | null) => {
      const started = performance.now()
      const text = await ask(client, target, after)
      if (text.split('"id":"conv_').length <= pageSize)
        throw new Error(`A page came short: ${text.slice(0, 500)}`)
      return performance.now() - started
    }
    try {
      const deep = await cursorBefore(client, target, deepPage)
      const [first, thousandth]: [number[], number[]] = [[], []]
      for (let at = -warmUp; at < requests; at++) {
        const [one, other] = [await timed(null), await timed(deep)]
        if (at < 0) continue
        first.push(one)
        thousandth.push(other)
      }
      return [median(first), median(thousandth), median(thousandth) / median(first)]
    } finally {
      await client.destroy()
    }
  }
}

/** The id after which a page begins. */
async function cursorBefore(client: Pool, target: Target, page: number): Promise<string> {
  const skipped = (page - 1) * pageSize - 1
  const { data } = JSON.parse(await get(client, target, `/v1/conversations?limit=1&offset=${skipped}`)) as {
    data: { id: string }[]
  }
  const [last] = data
  if (last) return last.id
  throw new Error(`The data set has no ${page} pages.`)
}

/** Keyset pages cost the same wherever they are. The REST list counts the whole list too, the graph only where it is asked. */
export const lists: Figure = {
  name: 'lists',
  title: `Page 1 and page ${deepPage} of ${ownersConversations} conversations among ${datasetSize.conversations}, one connection`,
  columns: [
    { label: 'page 1, p50 ms', digits: 2, against: 'nothing' },
    { label: `page ${deepPage}, p50 ms`, digits: 2, against: 'nothing' },
    { label: 'the one to the other', digits: 2, against: 'nothing', reach: { atMost: 1.2 } },
  ],
  baseline: 'REST, with total',
  long: true,
  contestants: [
    { name: 'REST, with total', target: 'filled platform', ours: true, sample: bothPages(overRest) },
    { name: 'graph, without', target: 'filled platform', ours: true, sample: bothPages(overGraph) },
  ],
}
