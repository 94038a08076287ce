import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Figure } from '../figure.ts'

const chunks = 200

/** With a long request too: a chunk must not cost more for it. */
export const streamedChunks: readonly Figure[] = [2, 40].map((messages) => ({
  title: `Streams of ${chunks} chunks, 20 connections, a request of ${messages} messages`,
  columns: [
    { label: 'chunks/s', digits: 0, against: 'ratio' },
    { label: 'CPU us/chunk', digits: 1, against: 'ratio' },
  ],
  async sample(target, { seconds }) {
    const body = completionBody({ messages, chunks })
    const result = await closedLoop(target, { connections: 20, seconds, nextBody: () => body })
    const expected = result.exchanges.length * (chunks + 1)
    if (result.events < expected) throw new Error(`${target.name} lost ${expected - result.events} chunks.`)
    return [result.events / result.seconds, (result.cpuSeconds * 1e6) / result.events]
  },
}))
