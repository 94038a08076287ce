import type OpenAI from 'openai'
import type { z } from 'zod'
import type { ChatCompletion } from '../platform/openai/chat-completion.ts'
import type { ChatCompletionChunk } from '../platform/openai/chat-completion-chunk.ts'
import type { chatCompletionRequest } from '../platform/openai/chat-completion-request.ts'
import type { EmbeddingList } from '../platform/openai/embedding-list.ts'
import type { embeddingRequest } from '../platform/openai/embedding-request.ts'
import type { ModelObject } from '../platform/openai/model-object.ts'
import type { errorEnvelope } from '../rest-adapter/errors.ts'

/**
 * The wire shapes against the types of the `openai` package. Nothing here runs: it compiles or it does not. Each function
 * says that what it takes may be used where what it gives is expected; the last ones prove that such a claim can fail.
 */

/** Without the index signatures that keep unknown fields. */
type Known<T> = T extends string | number
  ? T
  : T extends readonly (infer Entry)[]
    ? Known<Entry>[]
    : T extends object
      ? { [Key in keyof T as string extends Key ? never : Key]: Known<T[Key]> }
      : T

type Replaced<T, Fields> = Omit<T, keyof Fields> & Fields

/** What OpenAI always sends and other providers leave out or null: their bodies are passed on as they came. */
type ProvidersMessage = Replaced<
  OpenAI.ChatCompletionMessage,
  { refusal?: string | null; tool_calls?: OpenAI.ChatCompletionMessage['tool_calls'] | null }
>
type ProvidersChoice = Replaced<
  OpenAI.ChatCompletion['choices'][number],
  { message: ProvidersMessage; logprobs?: unknown }
>
type ProvidersCompletion = Replaced<OpenAI.ChatCompletion, { choices: ProvidersChoice[] }>

/** As the package has it for one encoding and, unexported, for the other. */
type EitherEmbedding = Replaced<OpenAI.Embedding, { embedding: number[] | string }>
type EitherEmbeddings = Replaced<OpenAI.CreateEmbeddingResponse, { data: EitherEmbedding[] }>

export const completionIsOpenAIs = (ours: Known<ChatCompletion>): ProvidersCompletion => ours
export const chunkIsOpenAIs = (ours: Known<ChatCompletionChunk>): OpenAI.ChatCompletionChunk => ours
export const modelIsOpenAIs = (ours: ModelObject): OpenAI.Model => ours
export const embeddingsAreOpenAIs = (ours: Known<EmbeddingList>): EitherEmbeddings => ours
export const errorIsOpenAIs = (ours: ReturnType<typeof errorEnvelope>['error']): OpenAI.ErrorObject => ours

/** The platform always tells the usage. */
type WithUsage = Replaced<OpenAI.ChatCompletion, { usage: OpenAI.CompletionUsage }>

export const completionIsOurs = (theirs: Known<WithUsage>): Known<ChatCompletion> => theirs
export const chunkIsOurs = (theirs: Known<OpenAI.ChatCompletionChunk>): Known<ChatCompletionChunk> => theirs
export const embeddingsAreOurs = (theirs: OpenAI.CreateEmbeddingResponse): Known<EmbeddingList> => theirs

type ChatRequest = Known<z.input<typeof chatCompletionRequest>>
type EmbeddingRequest = Known<z.input<typeof embeddingRequest>>

export const chatRequestIsTaken = (theirs: Known<OpenAI.ChatCompletionCreateParams>): ChatRequest => theirs
export const embeddingRequestIsTaken = (theirs: OpenAI.EmbeddingCreateParams): EmbeddingRequest => theirs

// @ts-expect-error a chunk is no completion
export const chunkIsNoCompletion = (ours: Known<ChatCompletionChunk>): ProvidersCompletion => ours
// @ts-expect-error an answer is no request
export const completionIsNoRequest = (theirs: Known<OpenAI.ChatCompletion>): ChatRequest => theirs
// @ts-expect-error the envelope is not the error in it
export const envelopeIsNoError = (ours: ReturnType<typeof errorEnvelope>): OpenAI.ErrorObject => ours
