import type { ChatRequest } from '../completion/chat-request.ts'
import type { TurnHistory } from '../completion/turn.ts'
import type { JsonObject } from '../providers/index.ts'
import type { ModuleKey } from './built-in.ts'
import type { PromptHints } from './hints.ts'
import type { PromptSettings } from './user-settings.ts'

/** What a module looks at to know whether it has something to say. */
export interface PromptScene {
  readonly request: ChatRequest
  /** Null where no stored conversation takes part. */
  readonly history: TurnHistory | null
  /** What was said before, without the project's instruction. */
  readonly past: readonly JsonObject[]
  /** Null where they can't be read now. */
  readonly settings: PromptSettings | null
  readonly hints: PromptHints | null
  /** The text of the last message of the user. */
  readonly asked: string
  readonly now: Date
  /** The text that holds for a key, with what its variables stand for; one that the text does not name goes to its end. */
  text(key: ModuleKey, variables?: Readonly<Record<string, string>>): string
}

/** The text of what the user said last. */
export function lastUserText({ messages }: ChatRequest): string {
  return contentText(messages.findLast(({ role }) => role === 'user')?.content)
}

/** The text of a message's content, parts joined. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .flatMap((part: { readonly text?: unknown }) => (typeof part?.text === 'string' ? [part.text] : []))
    .join('\n')
}
