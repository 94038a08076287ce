import { mediaIdIn } from '../../../platform/media-reference.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { JsonObject } from '../providers/index.ts'
import { usageOf } from '../providers/index.ts'
import type { ChatRole } from '../schema.generated.ts'

/** A whole answer's parts, as GraphQL clients read them. `modelId` finds the model. */
export function presentCompletion(json: JsonObject, promptModules: readonly string[]) {
  const choices = objects(json.choices).map((choice, at) => ({
    index: numberOr(choice.index, at),
    finishReason: text(choice.finish_reason),
    message: message(object(choice.message)),
  }))
  return {
    ...head(json),
    choices,
    content: choices[0]?.message.content ?? null,
    finishReason: choices[0]?.finishReason ?? null,
    usage: usage(json) ?? unknownUsage,
    conversation: conversation(json),
    promptModules: [...promptModules],
    trimmed: json.trimmed === true,
    raw: json,
  }
}

/** A chunk's parts, as GraphQL clients read them, with the conversation that its completion belongs to. */
export function presentChunk(json: JsonObject, conversation: ConversationStub | null) {
  const choices = objects(json.choices).map((choice, at) => ({
    index: numberOr(choice.index, at),
    finishReason: text(choice.finish_reason),
    delta: delta(object(choice.delta)),
  }))
  const first = choices.find(({ index }) => index === 0)
  return {
    ...head(json),
    choices,
    content: first?.delta.content ?? null,
    finishReason: first?.finishReason ?? null,
    usage: usage(json),
    conversation,
    trimmed: json.trimmed === true,
    raw: json,
  }
}

/** What `presentCompletion` gives. */
export type PresentedCompletion = ReturnType<typeof presentCompletion>

/** What `presentChunk` gives. */
export type PresentedChunk = ReturnType<typeof presentChunk>

const unknownUsage = { promptTokens: 0, completionTokens: 0, totalTokens: 0, isEstimated: true }

function head(json: JsonObject) {
  return {
    id: text(json.id) ?? '',
    createdAt: new Date(numberOr(json.created, 0) * 1000),
    modelId: text(json.model) ?? '',
  }
}

function message(from: JsonObject) {
  return {
    role: role(from.role) ?? ('ASSISTANT' as const),
    content: text(from.content) ?? textOfParts(from.content),
    reasoningContent: text(from.reasoning_content ?? from.reasoning),
    media: mediaOf(from),
    refusal: text(from.refusal),
    toolCalls: objects(from.tool_calls).map((call) => ({
      id: text(call.id) ?? '',
      type: text(call.type) ?? 'function',
      name: text(object(call.function).name),
      arguments: text(object(call.function).arguments),
    })),
  }
}

function delta(from: JsonObject) {
  return {
    role: role(from.role),
    content: text(from.content),
    reasoningContent: text(from.reasoning_content ?? from.reasoning),
    media: mediaOf(from),
    toolCalls: objects(from.tool_calls).map((call, at) => ({
      index: numberOr(call.index, at),
      id: text(call.id),
      type: text(call.type),
      name: text(object(call.function).name),
      arguments: text(object(call.function).arguments),
    })),
  }
}

/** Null where it is no list of parts, or none of them is a text. */
function textOfParts(content: unknown): string | null {
  const texts = objects(content).flatMap((part) => text(part.text) ?? [])
  return texts.length === 0 ? null : texts.join('')
}

/** The images that were kept, beside the text or among its parts. */
function mediaOf({ images, content }: JsonObject): { id: string }[] {
  return [...objects(images), ...objects(content)].flatMap(({ id }) => {
    const known = typeof id === 'string' ? mediaIdIn(id) : null
    return known === null ? [] : [{ id: known }]
  })
}

function usage(json: JsonObject) {
  const told = usageOf(json)
  if (!told) return null
  return {
    promptTokens: told.prompt_tokens,
    completionTokens: told.completion_tokens,
    totalTokens: told.total_tokens,
    isEstimated: told.estimated === true,
  }
}

function conversation(json: JsonObject): { id: string } | null {
  const id = text(object(json.conversation).id)
  return id === null ? null : { id }
}

const roles: Readonly<Record<string, ChatRole>> = {
  system: 'SYSTEM',
  developer: 'DEVELOPER',
  user: 'USER',
  assistant: 'ASSISTANT',
  tool: 'TOOL',
}

function role(value: unknown): ChatRole | null {
  return typeof value === 'string' ? (roles[value] ?? null) : null
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(object) : []
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isInteger(value) ? value : fallback
}

/** Embeddings as GraphQL clients read them. */
export function presentEmbeddings(json: JsonObject, modelId: string) {
  return {
    modelId,
    data: objects(json.data).map(({ index, embedding }, at) => ({
      index: numberOr(index, at),
      embedding: (Array.isArray(embedding) ? embedding : []).map(Number),
    })),
    usage: usage(json) ?? unknownUsage,
  }
}
