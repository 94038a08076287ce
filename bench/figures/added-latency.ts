import { completionCall } from '../calls.ts'
import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import type { Contestant, Figure } from '../figure.ts'
import { median } from '../statistics.ts'

const call = completionCall(completionBody())

const sample: Contestant['sample'] = async (target, { seconds }) => {
  const { exchanges } = await closedLoop(target, { connections: 1, seconds, nextCall: () => call })
  return [median(exchanges.map(({ totalMs }) => totalMs))]
}

export const addedLatency: Figure = {
  name: 'latency',
  title: 'Plain completions, one connection',
  columns: [{ label: 'p50 ms', digits: 3, against: 'difference', reach: { atMost: 0.15 } }],
  baseline: 'bare proxy',
  contestants: [{ name: 'direct', target: 'direct', sample }, ...proxies(sample)],
}
