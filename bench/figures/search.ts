import { Pool } from 'undici'
import { datasetSize, ownersConversations } from '../dataset/size.ts'
import { wordCount, wordOf } from '../dataset/words.ts'
import type { Contestant, Figure } from '../figure.ts'
import { get } from '../get.ts'
import { median, percentile } from '../statistics.ts'

const rounds = 20
const warmUp = 3

/** The ranks of words that stand nearly everywhere, now and then, and nearly nowhere. */
const ranks = [1, 7, 40, 150, 500, 1_500, 5_000, 12_000, wordCount - 1]

/** What is searched: words of all frequencies, alone, with others, as a phrase, and begun. Another word in each round. */
function searches(round: number): string[] {
  const words = ranks.map((rank) => wordOf(Math.min(wordCount, rank + round)))
  const [first = '', second = '', third = '', fourth = ''] = words
  return [
    ...words,
    ...words.slice(3).map((word) => `${first} ${word}`),
    `${second} ${third}`,
    `${third} ${fourth}`,
    `"${first} ${second}"`,
    `${third} -${first}`,
    ...words.slice(3).map((word) => word.slice(0, 4)),
  ]
}

const sample: Contestant['sample'] = async (target, { quick }) => {
  const client = new Pool(target.origin, { connections: 1 })
  const times: number[] = []
  const slowest: [ms: number, text: string][] = []
  try {
    for (let round = -warmUp; round < (quick ? rounds / 4 : rounds); round++) {
      for (const text of searches(Math.max(0, round))) {
        const started = performance.now()
        await get(client, target, `/v1/conversations?limit=20&search=${encodeURIComponent(text)}`)
        const took = performance.now() - started
        if (round < 0) continue
        times.push(took)
        slowest.push([took, text])
      }
    }
  } finally {
    await client.destroy()
  }
  const told = slowest.toSorted(([one], [other]) => other - one).slice(0, 8)
  process.stdout.write(`  slowest: ${told.map(([ms, text]) => `${text} ${ms.toFixed(0)} ms`).join(', ')}\n`)
  return [median(times), percentile(times, 0.95), Math.max(...times)]
}

/** Ranked, with marked snippets, 20 a page: through REST and the graph, one caller. The slowest are printed. */
export const search: Figure = {
  name: 'search',
  title: `Search of one account with ${ownersConversations} conversations of ${datasetSize.itemsEach} messages among ${datasetSize.conversations}`,
  columns: [
    { label: 'p50 ms', digits: 1, against: 'nothing' },
    { label: 'p95 ms', digits: 1, against: 'nothing', reach: { atMost: 50 } },
    { label: 'slowest ms', digits: 1, against: 'nothing' },
  ],
  baseline: 'platform',
  long: true,
  contestants: [{ name: 'platform', target: 'filled platform', ours: true, sample }],
}
