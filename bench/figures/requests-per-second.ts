import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Figure } from '../figure.ts'

const body = completionBody()

export const requestsPerSecond: Figure = {
  title: 'Plain completions, 50 connections',
  columns: [
    { label: 'requests/s', digits: 0, against: 'ratio' },
    { label: 'CPU us/request', digits: 0, against: 'ratio' },
  ],
  async sample(target, { seconds }) {
    const { exchanges, ...result } = await closedLoop(target, {
      connections: 50,
      seconds,
      nextBody: () => body,
    })
    return [exchanges.length / result.seconds, (result.cpuSeconds * 1e6) / exchanges.length]
  },
}
