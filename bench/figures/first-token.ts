import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Figure } from '../figure.ts'
import { median } from '../statistics.ts'

const body = completionBody({ chunks: 10, paced: true })

export const firstToken: Figure = {
  title: 'Time to first token, 25 paced streams at once',
  columns: [{ label: 'p50 ms', digits: 2, against: 'difference' }],
  async sample(target, { seconds }) {
    const { exchanges } = await closedLoop(target, { connections: 25, seconds, nextBody: () => body })
    return [median(exchanges.map(({ firstByteMs }) => firstByteMs))]
  },
}
