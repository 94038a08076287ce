import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Figure } from '../figure.ts'
import { median } from '../statistics.ts'

const body = completionBody()

export const addedLatency: Figure = {
  title: 'Plain completions, one connection: what is added to the direct way',
  columns: [{ label: 'p50 ms', digits: 3, against: 'difference' }],
  addedToDirect: true,
  async sample(target, { seconds }) {
    const { exchanges } = await closedLoop(target, { connections: 1, seconds, nextBody: () => body })
    return [median(exchanges.map(({ totalMs }) => totalMs))]
  },
}
