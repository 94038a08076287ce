import type { ListedModel } from '../catalogue/registry.ts'
import type { Prompt } from '../context/index.ts'
import { findFieldValue, type JsonObject } from '../providers/index.ts'
import type { ChatRequest } from './chat-request.ts'

/** Everything that a model is to be told. @param before what goes before the request's own messages */
export function promptOf({ bytes, parsed, messages }: ChatRequest, before: readonly JsonObject[]): Prompt {
  const range = parsed.tools ? findFieldValue(bytes, 'tools') : null
  return {
    messages: [...before, ...messages],
    tools: parsed.tools ?? null,
    toolBytes: range ? range.end - range.start : 0,
  }
}

/** How long a model's answer may become, by the request or by what the catalogue says for it; null where neither says. */
export function answerTokens({ parsed }: ChatRequest, { entry }: ListedModel): number | null {
  const defaults = entry?.supportedParameters.default ?? {}
  const asked = parsed.max_completion_tokens ?? parsed.max_tokens
  const usual = defaults.max_completion_tokens ?? defaults.max_tokens
  return asked ?? (typeof usual === 'number' ? usual : null)
}
