import type { Behaviour } from './fake-provider.ts'

type JsonObject = Record<string, unknown>

interface AskedFor {
  readonly json: JsonObject | undefined
}

/** One chunk of a streamed completion, as OpenAI shapes it. */
export function chatChunk(
  delta: JsonObject,
  finishReason: string | null = null,
  extra: JsonObject = {},
): JsonObject {
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'fake-model',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    ...extra,
  }
}

/** The chunks of a well-behaved stream. */
export function chunksOf(request: AskedFor, behaviour: Behaviour): JsonObject[] {
  const { extra } = behaviour
  const words = answerText(behaviour).match(/\s*\S+/g) ?? []
  const chunks = [
    chatChunk({ role: 'assistant', content: '' }, null, extra),
    ...words.map((content) => chatChunk({ content }, null, extra)),
    chatChunk({}, 'stop', extra),
  ]
  const asked =
    (request.json?.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
  const sendsUsage = behaviour.usage === 'always' || (behaviour.usage !== false && asked)
  const usage = { ...chatChunk({}, null, extra), choices: [], usage: usageOf(behaviour) }
  return (sendsUsage ? [...chunks, usage] : chunks).map((chunk) => ({ ...chunk, model: request.json?.model }))
}

/** A well-behaved answer in one piece. */
export function completion(request: AskedFor, behaviour: Behaviour): JsonObject {
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: request.json?.model,
    choices: [
      { index: 0, message: { role: 'assistant', content: answerText(behaviour) }, finish_reason: 'stop' },
    ],
    ...(behaviour.usage === false ? {} : { usage: usageOf(behaviour) }),
    ...behaviour.extra,
  }
}

/** A vector for each input. */
export function embeddings(request: AskedFor, behaviour: Behaviour): JsonObject {
  const { input, model } = request.json ?? {}
  const inputs = Array.isArray(input) ? input : [input]
  return {
    object: 'list',
    data: inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.6, 0.8, 0] })),
    model,
    usage: { prompt_tokens: inputs.length, total_tokens: inputs.length },
    ...behaviour.extra,
  }
}

/** The answer to `GET /v1/models`. */
export function modelList(models: readonly (string | JsonObject)[]): JsonObject {
  const entry = (model: string | JsonObject) =>
    typeof model === 'string'
      ? { id: model, object: 'model', created: 1_700_000_000, owned_by: 'fake' }
      : model
  return { object: 'list', data: models.map(entry) }
}

function answerText({ text = 'Hello from the fake provider.' }: Behaviour): string {
  return text
}

function usageOf(behaviour: Behaviour): JsonObject {
  const completionTokens = answerText(behaviour).match(/\s*\S+/g)?.length ?? 0
  return { prompt_tokens: 7, completion_tokens: completionTokens, total_tokens: 7 + completionTokens }
}
