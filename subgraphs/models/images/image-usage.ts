import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import { estimateTokens, type JsonObject, tokenCount } from '../providers/index.ts'

/** The tokens of images, after OpenAI's. */
export interface ImageUsageFigures {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly totalTokens: number
  readonly textTokens: number
  readonly imageTokens: number
  /** Whether the provider told none of them. */
  readonly isEstimated: boolean
}

/** What the provider told, or what the prompt is likely to have taken. */
export function imageUsage({ usage }: JsonObject, prompt: string): ImageUsageFigures {
  const told = (usage ?? {}) as JsonObject
  const details = (told.input_tokens_details ?? {}) as JsonObject
  const input = tokenCount(told.input_tokens)
  if (input === null) {
    const tokens = estimateTokens(prompt)
    return {
      inputTokens: tokens,
      outputTokens: 0,
      totalTokens: tokens,
      textTokens: tokens,
      imageTokens: 0,
      isEstimated: true,
    }
  }
  const output = tokenCount(told.output_tokens) ?? 0
  const imageTokens = tokenCount(details.image_tokens) ?? 0
  return {
    inputTokens: input,
    outputTokens: output,
    totalTokens: tokenCount(told.total_tokens) ?? input + output,
    textTokens: tokenCount(details.text_tokens) ?? Math.max(0, input - imageTokens),
    imageTokens,
    isEstimated: false,
  }
}

/** The same as it is accounted for. */
export function tokensOf({
  inputTokens,
  outputTokens,
  totalTokens,
  isEstimated,
}: ImageUsageFigures): TokenUsage {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: totalTokens,
    ...(isEstimated ? { estimated: true } : {}),
  }
}
