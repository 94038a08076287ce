import { AppError } from '../../../platform/errors.ts'
import type { JsonObject } from '../providers/index.ts'
import { mostInputTokens } from './limits.ts'
import { textsOf } from './message-text.ts'
import { latestUserMessage } from './oldest-messages.ts'
import type { TokenCounter } from './token-counter.ts'

/** @throws AppError `input_too_large` naming the message that the user said last, where it is too long to be answered (contract 2.1) */
export async function requireAnswerableInput(
  messages: readonly JsonObject[],
  counter: () => TokenCounter,
): Promise<void> {
  const at = latestUserMessage(messages)
  const message = messages[at]
  if (!message) return
  const said = textsOf(message).join('')
  if (Buffer.byteLength(said) <= mostInputTokens) return
  const [tokens = 0] = await counter().count([said], mostInputTokens)
  if (tokens <= mostInputTokens) return
  throw new AppError('input_too_large', `The message is too long: at most ${mostInputTokens} tokens.`, {
    param: `messages[${at}].content`,
  })
}
