import { isObject, parseObject } from './parse-object.ts'
import type { JsonObject } from './provider.ts'

/** A tool call, its arguments as the JSON text that the model wrote. */
export interface AssembledToolCall {
  id: string
  type: string
  function: { name: string; arguments: string }
}

/** An assistant message put together from deltas. */
export interface AssembledMessage {
  role: 'assistant'
  content: string | null
  reasoning_content?: string
  refusal?: string
  /** Images that are kept: each has the `id` of its media. */
  images?: JsonObject[]
  tool_calls?: AssembledToolCall[]
}

/** One of the `n` answers of a completion. */
export interface AssembledChoice {
  index: number
  message: AssembledMessage
  /** Null while the choice has not finished. */
  finish_reason: string | null
}

interface ToolCallDelta {
  index?: number
  id?: string
  type?: string
  function?: { name?: string; arguments?: string }
}

interface ChoiceDelta {
  index?: number
  delta?: JsonObject | null
  finish_reason?: string | null
}

/**
 * Puts a streamed chat completion together, all choices. It parses every frame, so it is for turns that are stored,
 * not for the pass-through path. `reasoning` (OpenRouter, Ollama) counts as `reasoning_content`.
 */
export class ChunkAccumulator {
  readonly #choices = new Map<number, AssembledChoice>()
  /** The calls of each choice by the index that the provider gives them. */
  readonly #calls = new Map<AssembledChoice, Map<number, AssembledToolCall>>()

  /** Adds one frame. What is not of the documented form adds nothing. */
  add(frame: Buffer | JsonObject): void {
    const chunk = Buffer.isBuffer(frame) ? parseObject(frame) : frame
    if (!chunk) return
    const choices: unknown[] = Array.isArray(chunk.choices) ? chunk.choices : []
    for (const choice of choices) if (isObject(choice)) this.#addChoice(choice as ChoiceDelta)
  }

  /** The state of one choice, null where nothing of it has come. */
  choice(index: number): AssembledChoice | null {
    return this.#choices.get(index) ?? null
  }

  #addChoice({ index = 0, delta, finish_reason: finish }: ChoiceDelta): void {
    const choice = this.#choices.get(index) ?? this.#open(index)
    if (typeof finish === 'string' && finish !== '') choice.finish_reason = finish
    if (!delta) return
    addText(choice.message, delta)
    addImages(choice.message, delta)
    if (Array.isArray(delta.tool_calls))
      for (const call of delta.tool_calls) if (isObject(call)) this.#addToolCall(choice, call)
  }

  #addToolCall(choice: AssembledChoice, delta: ToolCallDelta): void {
    const call = this.#openToolCall(choice, delta)
    if (delta.id) call.id = delta.id
    if (delta.type) call.type = delta.type
    if (delta.function?.name) call.function.name += delta.function.name
    if (delta.function?.arguments) call.function.arguments += delta.function.arguments
  }

  /** The call that a delta continues. Some providers leave out the index: an id then begins a new call. */
  #openToolCall(choice: AssembledChoice, { index, id }: ToolCallDelta): AssembledToolCall {
    choice.message.tool_calls ??= []
    const calls = choice.message.tool_calls
    const byIndex = this.#calls.get(choice) ?? new Map<number, AssembledToolCall>()
    this.#calls.set(choice, byIndex)
    const begun = index === undefined ? (id ? undefined : calls.at(-1)) : byIndex.get(index)
    if (begun) return begun
    const call: AssembledToolCall = { id: '', type: 'function', function: { name: '', arguments: '' } }
    byIndex.set(index ?? calls.length, call)
    calls.push(call)
    return call
  }

  #open(index: number): AssembledChoice {
    const choice: AssembledChoice = {
      index,
      message: { role: 'assistant', content: null },
      finish_reason: null,
    }
    this.#choices.set(index, choice)
    return choice
  }
}

function addText(message: AssembledMessage, delta: JsonObject): void {
  const { content, refusal } = delta
  const reasoning = delta.reasoning_content ?? delta.reasoning
  if (typeof content === 'string') message.content = (message.content ?? '') + content
  if (typeof reasoning === 'string') message.reasoning_content = (message.reasoning_content ?? '') + reasoning
  if (typeof refusal === 'string') message.refusal = (message.refusal ?? '') + refusal
}

/** One that is not kept is not stored either: its bytes would be in the middle of the text. */
function addImages(message: AssembledMessage, { images }: JsonObject): void {
  if (!Array.isArray(images)) return
  const kept = images.filter((image): image is JsonObject => isObject(image) && typeof image.id === 'string')
  if (kept.length > 0) message.images = [...(message.images ?? []), ...kept]
}
