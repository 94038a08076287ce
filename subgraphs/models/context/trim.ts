import type { JsonObject } from '../providers/index.ts'
import { withoutOldestImages } from './images.ts'
import { type LimitedText, mapLimitedTexts, type Shorten } from './limited-texts.ts'
import { mostSchemaBytes, textLimits } from './limits.ts'
import { mostTokensOf } from './message-text.ts'
import { latestUserMessage, newestMessages } from './oldest-messages.ts'
import { shortenedTexts } from './shorten.ts'
import type { TokenCounter } from './token-counter.ts'
import { withShorterSchemas } from './tool-schemas.ts'

/** What a model is told: the whole conversation, and the tools that it may call. */
export interface Prompt {
  readonly messages: readonly JsonObject[]
  readonly tools: readonly JsonObject[] | null
  /** The bytes of `tools` as JSON. */
  readonly toolBytes: number
}

/** A prompt within its limits. */
export interface TrimmedPrompt extends Prompt {
  /** Whether anything was left out. Messages and tools are the very same lists where not. */
  readonly trimmed: boolean
}

/** How much a model takes. */
export interface PromptLimits {
  /** Of messages and tools together. */
  readonly tokens: number
}

const shortestLimit = Math.min(...Object.values(textLimits))

/** Whether a prompt is within its limits however its tokens are counted, so that nobody has to count them. */
export function surelyFits({ messages, tools, toolBytes }: Prompt, { tokens }: PromptLimits): boolean {
  const most = mostTokensOf(messages)
  return (
    most + toolBytes <= tokens &&
    (most <= shortestLimit || longTexts(messages).length === 0) &&
    withoutOldestImages(messages) === messages &&
    (tools === null || toolBytes <= mostSchemaBytes || withShorterSchemas(tools) === tools)
  )
}

/** Brings a prompt into its limits (contract 2.1). Where instructions and what the user said last alone are over them, they alone are left. */
export async function trim(
  prompt: Prompt,
  limits: PromptLimits,
  counter: TokenCounter,
): Promise<TrimmedPrompt> {
  if (surelyFits(prompt, limits)) return { ...prompt, trimmed: false }
  const tools = prompt.tools && withShorterSchemas(prompt.tools)
  const toolBytes = tools === prompt.tools ? prompt.toolBytes : Buffer.byteLength(JSON.stringify(tools))
  const short = await withShorterTexts(prompt.messages, counter)
  const fewer = withoutOldestImages(short)
  const messages =
    mostTokensOf(fewer) + toolBytes <= limits.tokens
      ? fewer
      : await newestMessages(fewer, tools ? [JSON.stringify(tools)] : [], limits.tokens, counter)
  return { messages, tools, toolBytes, trimmed: messages !== prompt.messages || tools !== prompt.tools }
}

async function withShorterTexts(
  messages: readonly JsonObject[],
  counter: TokenCounter,
): Promise<readonly JsonObject[]> {
  const long = longTexts(messages)
  if (long.length === 0) return messages
  return mapAll(messages, await shortenedTexts(long, counter))
}

/** The texts that might be longer than they may be: those that have more bytes than tokens. */
function longTexts(messages: readonly JsonObject[]): LimitedText[] {
  const long: LimitedText[] = []
  mapAll(messages, (limited) => {
    if (Buffer.byteLength(limited.text) > limited.tokens) long.push(limited)
    return limited.text
  })
  return long
}

function mapAll(messages: readonly JsonObject[], shorten: Shorten): readonly JsonObject[] {
  const latest = latestUserMessage(messages)
  const mapped = messages.map((message, at) => mapLimitedTexts(message, at === latest, shorten))
  return mapped.some((message, at) => message !== messages[at]) ? mapped : messages
}
