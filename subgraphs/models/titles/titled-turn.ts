import type { RequestContext } from '../../../platform/context.ts'
import type { StoredTurn, TurnHistory } from '../completion/turn.ts'
import { observedTurn } from '../completion/turn-observer.ts'
import type { JsonObject } from '../providers/index.ts'
import { saidBy } from './title-prompt.ts'
import type { TitleWriter } from './title-writer.ts'

/** What decides whether a turn gives its conversation a title. */
export interface TitledTurn {
  /** Null where it begins the conversation. */
  readonly history: TurnHistory | null
  /** The request's own messages. */
  readonly asked: readonly JsonObject[]
  readonly context: RequestContext
}

/**
 * The same turn, after whose answer the conversation gets a title where contract 2.4 wants one: with its first completion, and
 * when its user has sent one message, or a multiple of five.
 */
export function withTitle(
  turn: StoredTurn | null,
  { history, asked, context }: TitledTurn,
  titles: TitleWriter | null,
): StoredTurn | null {
  if (!turn || !titles) return turn
  const messages = [...(history?.messages ?? []), ...asked]
  const userMessages = messages.filter(({ role }) => role === 'user').length
  if (!isWanted(history, messages, userMessages)) return turn
  const said = saidBy(messages)
  // a conversation without a title has been named after its first message as it was stored
  const otherwise = userMessages === 1 && !isUntitled(history) ? (said[0] ?? null) : null
  return observedTurn(turn, ({ id: conversationId }) =>
    titles.write({ conversationId, userMessages, said, otherwise, context }),
  )
}

/** Results of tools go on with what was asked before: they do not ask for the same title again. */
function isWanted(
  history: TurnHistory | null,
  messages: readonly JsonObject[],
  userMessages: number,
): boolean {
  if (messages.at(-1)?.role !== 'user') return false
  return isUntitled(history) || userMessages === 1 || userMessages % 5 === 0
}

function isUntitled(history: TurnHistory | null): boolean {
  const title = history?.conversation.title ?? null
  return title === null || title.trim().toLowerCase() === 'new conversation'
}
