import { completionCall } from '../calls.ts'
import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import type { Figure } from '../figure.ts'

const call = completionCall(completionBody())

export const requestsPerSecond: Figure = {
  name: 'requests',
  title: 'Plain completions, 50 connections',
  columns: [
    { label: 'requests/s', digits: 0, against: 'ratio', reach: { atLeast: 0.8 } },
    { label: 'CPU us/request', digits: 0, against: 'ratio' },
  ],
  baseline: 'bare proxy',
  contestants: proxies(async (target, { seconds }) => {
    const { exchanges, ...result } = await closedLoop(target, {
      connections: 50,
      seconds,
      nextCall: () => call,
    })
    return [exchanges.length / result.seconds, (result.cpuSeconds * 1e6) / exchanges.length]
  }),
}
