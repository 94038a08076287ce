import { completionCall } from '../calls.ts'
import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import type { Figure } from '../figure.ts'
import { median } from '../statistics.ts'

const call = completionCall(completionBody({ model: 'mock-paced', chunks: 10 }))

export const firstToken: Figure = {
  name: 'first-token',
  title: 'Time to first token, 25 paced streams at once, warm',
  columns: [{ label: 'p50 ms', digits: 2, against: 'difference', reach: { atMost: 2 } }],
  baseline: 'bare proxy',
  contestants: proxies(async (target, { seconds }) => {
    const { exchanges } = await closedLoop(target, { connections: 25, seconds, nextCall: () => call })
    return [median(exchanges.map(({ firstByteMs }) => firstByteMs))]
  }),
}
