import { type Call, completionCall, subscriptionCall } from '../calls.ts'
import { closedLoop, occurrences } from '../closed-loop.ts'
import { completionBody, completionInput } from '../completion-body.ts'
import type { Contestant, Figure } from '../figure.ts'

const chunks = 200
const restCall = completionCall(completionBody({ chunks }))
const graphqlCall = subscriptionCall(
  'subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { content } }',
  { input: completionInput({ chunks }) },
)

const samples =
  (call: Call): Contestant['sample'] =>
  async (target, { seconds }) => {
    const result = await closedLoop(target, {
      connections: 20,
      seconds,
      nextCall: () => call,
      countIn: (text) => occurrences(' token', text),
    })
    const lost = result.exchanges.length * chunks - result.counted
    if (lost > 0) throw new Error(`${lost} chunks were lost`)
    return [result.counted / result.seconds, (result.cpuSeconds * 1e6) / result.counted]
  }

/** The same tokens as the REST stream's, one event each, selected and serialised by the graph. */
export const tokenSubscription: Figure = {
  name: 'subscription',
  title: `Tokens by a GraphQL subscription (graphql-sse): streams of ${chunks}, 20 connections`,
  columns: [
    { label: 'chunks/s', digits: 0, against: 'ratio', reach: { atLeast: 0.8 } },
    { label: 'CPU us/chunk', digits: 1, against: 'ratio' },
  ],
  baseline: 'REST stream',
  contestants: [
    { name: 'REST stream', target: 'platform', sample: samples(restCall) },
    { name: 'graphql-sse', target: 'platform', ours: true, sample: samples(graphqlCall) },
  ],
}
