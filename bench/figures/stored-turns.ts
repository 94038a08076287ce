import { completionCall } from '../calls.ts'
import { closedLoop } from '../closed-loop.ts'
import { completionBody } from '../completion-body.ts'
import type { Contestant, Figure } from '../figure.ts'

const turnsOfConversation = 10

const sample: Contestant['sample'] = async (target, { seconds }) => {
  let turns = 0
  const { exchanges, ...result } = await closedLoop(target, {
    connections: 50,
    seconds,
    nextCall(previous) {
      const renew = turns++ % turnsOfConversation === 0
      const conversation = renew ? {} : conversationOf(previous)
      return completionCall(completionBody({ messages: 1, conversation }))
    },
  })
  return [exchanges.length / result.seconds, (result.cpuSeconds * 1e6) / exchanges.length]
}

/** A turn reads its conversation and writes two items. The bare proxy stores nothing: it does what it does elsewhere. */
export const storedTurns: Figure = {
  name: 'stored-turns',
  title: `Stored turns in conversations of up to ${turnsOfConversation}, 50 connections`,
  columns: [
    { label: 'requests/s', digits: 0, against: 'ratio', reach: { atLeast: 0.35 } },
    { label: 'CPU us/request', digits: 0, against: 'ratio' },
  ],
  baseline: 'bare proxy',
  contestants: [
    { name: 'bare proxy', target: 'bare proxy', sample },
    { name: 'platform', target: 'platform', ours: true, sample },
  ],
}

/** The conversation that an answer says it belongs to; a new one where it says nothing. */
function conversationOf(answer = ''): { id?: string } {
  const [, id] = /"conversation":\{[^}]*"id":"([^"]+)"/.exec(answer) ?? []
  return id === undefined ? {} : { id }
}
