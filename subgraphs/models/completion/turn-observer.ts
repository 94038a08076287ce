import type { RequestContext } from '../../../platform/context.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { StoredTurn, TurnOutcome } from './turn.ts'

/** A turn that was stored whole. */
export interface ObservedTurn {
  readonly conversation: ConversationStub
  /** The project of the conversation; null where it has none, or is new. */
  readonly projectId: string | null
  /** The model that was asked. */
  readonly modelId: string
  /** What the request brought, as OpenAI's messages. */
  readonly asked: readonly object[]
  /** What the model said, as OpenAI's message. */
  readonly answer: object
}

/** Is told of stored turns. It must neither throw nor take time: what it does, it does later. */
export type TurnObserver = (turn: ObservedTurn, context: RequestContext) => void

/** Tells an observer once the turn is stored, if it came to its end. */
export function observedTurn(
  turn: StoredTurn,
  observe: (conversation: ConversationStub, answer: object) => void,
): StoredTurn {
  const tell = (conversation: ConversationStub, outcome: TurnOutcome) => {
    if (outcome.status === 'COMPLETED') observe(conversation, outcome.message)
  }
  return {
    ...turn,
    async finish(outcome) {
      const conversation = await turn.finish(outcome)
      tell(conversation, outcome)
      return conversation
    },
    async append(outcome) {
      const place = await turn.append(outcome)
      tell(place.conversation, outcome)
      return place
    },
  }
}
