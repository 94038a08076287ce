import { completionCall } from '../calls.ts'
import { closedLoop, occurrences } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import { proxies } from '../contestants.ts'
import type { Figure } from '../figure.ts'

const chunks = 200

/** With a long request too: a chunk must not cost more for it. */
export const streamedChunks: readonly Figure[] = [2, 40].map((messages) => {
  const call = completionCall(completionBody({ messages, chunks }))
  return {
    name: `chunks-${messages}`,
    title: `Streams of ${chunks} chunks, 20 connections, a request of ${messages} messages`,
    columns: [
      { label: 'chunks/s', digits: 0, against: 'ratio' },
      { label: 'CPU us/chunk', digits: 1, against: 'ratio', reach: { atMost: 1.3 } },
    ],
    baseline: 'bare proxy',
    contestants: proxies(async (target, { seconds }) => {
      const result = await closedLoop(target, {
        connections: 20,
        seconds,
        nextCall: () => call,
        countIn: (text) => occurrences('data: {', text),
      })
      const lost = result.exchanges.length * chunks - result.counted
      if (lost > 0) throw new Error(`${lost} chunks were lost`)
      return [result.counted / result.seconds, (result.cpuSeconds * 1e6) / result.counted]
    }),
  }
})
