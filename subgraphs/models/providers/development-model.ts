import { randomUUID } from 'node:crypto'
import { AppError } from '../../../platform/errors.ts'
import { chatModelId, developmentModels, embeddingModelId } from './development/catalogue.ts'
import { type ChatRequest, readChatRequest } from './development/chat-request.ts'
import { ChunkStream } from './development/chunk-stream.ts'
import { type CompletionHead, completionChunks, wholeCompletion } from './development/completion.ts'
import { embeddingsFor } from './development/embeddings.ts'
import { drawnEdits, drawnImages } from './development/image-answers.ts'
import { replyTo } from './development/reply.ts'
import { parseObject } from './parse-object.ts'
import type {
  CompletionRequest,
  ImageEditRequest,
  JsonObject,
  Provider,
  ProviderAnswer,
  ProviderModel,
  ProviderStream,
} from './provider.ts'

export interface DevelopmentProviderOptions {
  /** Milliseconds between the chunks of a stream. Default 0. */
  readonly chunkDelayMs?: number
}

/** The built-in provider for when there is no other: no socket, no intelligence, deterministic but for ids and times. */
export function createDevelopmentProvider({ chunkDelayMs = 0 }: DevelopmentProviderOptions = {}): Provider {
  return new DevelopmentProvider(chunkDelayMs)
}

class DevelopmentProvider implements Provider {
  readonly #chunkDelayMs: number

  constructor(chunkDelayMs: number) {
    this.#chunkDelayMs = chunkDelayMs
  }

  async complete({ body, signal }: CompletionRequest): Promise<ProviderAnswer> {
    signal.throwIfAborted()
    const request = chatRequest(body)
    return answerOf(wholeCompletion(newHead(request.model), replyTo(request), request.choices))
  }

  async stream({ body, signal }: CompletionRequest): Promise<ProviderStream> {
    signal.throwIfAborted()
    const request = chatRequest(body)
    const chunks = completionChunks(
      newHead(request.model),
      replyTo(request),
      request.choices,
      request.includeUsage,
    )
    return new ChunkStream(chunks, signal, this.#chunkDelayMs)
  }

  async embed({ body, signal }: CompletionRequest): Promise<ProviderAnswer> {
    signal.throwIfAborted()
    requireModel(modelOf(body), embeddingModelId, 'This model makes no embeddings.')
    return answerOf(embeddingsFor(body))
  }

  /** Whatever model is named: there is only one hand that draws. */
  async generateImages({ body, signal }: CompletionRequest): Promise<ProviderAnswer> {
    const request = Buffer.isBuffer(body) ? parseObject(body) : body
    return answerOf(await drawnImages(request ?? {}, signal))
  }

  async editImages({ form, signal }: ImageEditRequest): Promise<ProviderAnswer> {
    return answerOf(await drawnEdits(form, signal))
  }

  async listModels(signal: AbortSignal): Promise<ProviderModel[]> {
    signal.throwIfAborted()
    return [...developmentModels]
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

function chatRequest(body: Buffer | JsonObject): ChatRequest {
  const request = readChatRequest(body)
  requireModel(request.model, chatModelId, 'This model makes embeddings, it does not chat.')
  return request
}

function requireModel(model: unknown, wanted: string, otherwise: string): void {
  if (model === wanted) return
  if (developmentModels.some(({ id }) => id === model))
    throw new AppError('invalid_parameter', otherwise, { param: 'model' })
  throw new AppError('model_not_found', 'The provider of this model does not have it.', { param: 'model' })
}

function modelOf(body: Buffer | JsonObject): unknown {
  return (Buffer.isBuffer(body) ? parseObject(body) : body)?.model
}

/** The id is new for every completion: turns and usage are recorded by it. */
function newHead(model: string): CompletionHead {
  return { id: `chatcmpl-${randomUUID().replaceAll('-', '')}`, created: Math.floor(Date.now() / 1000), model }
}

function answerOf(json: JsonObject): ProviderAnswer {
  return { body: Buffer.from(JSON.stringify(json)), json, headers: { 'content-type': 'application/json' } }
}
