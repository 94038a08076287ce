import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Figure } from '../figure.ts'

const turnsOfConversation = 10

/** A turn reads its conversation and writes two items. The bare proxy stores nothing: it does what it does elsewhere. */
export const storedTurns: Figure = {
  title: `Stored turns in conversations of up to ${turnsOfConversation}, 50 connections`,
  columns: [
    { label: 'requests/s', digits: 0, against: 'ratio' },
    { label: 'CPU us/request', digits: 0, against: 'ratio' },
  ],
  async sample(target, { seconds }) {
    let turns = 0
    const { exchanges, ...result } = await closedLoop(target, {
      connections: 50,
      seconds,
      nextBody(previous) {
        const renew = turns++ % turnsOfConversation === 0
        return completionBody({ messages: 1, conversation: renew ? {} : conversationOf(previous) })
      },
    })
    return [exchanges.length / result.seconds, (result.cpuSeconds * 1e6) / exchanges.length]
  },
}

/** The conversation that an answer says it belongs to; a new one where it says nothing. */
function conversationOf(answer = ''): { id?: string } {
  const [, id] = /"conversation":\{[^}]*"id":"([^"]+)"/.exec(answer) ?? []
  return id === undefined ? {} : { id }
}
