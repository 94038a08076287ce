/** A JSON object as a provider sent it or is to be sent it. */
export type JsonObject = Record<string, unknown>

/** Response headers by lower-case name. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** One generation or embedding call. */
export interface CompletionRequest {
  /** The body for the provider, with the provider's own model id. Bytes are sent as they are. */
  readonly body: Buffer | JsonObject
  /** Sent on as `X-Request-Id`. */
  readonly requestId: string
  /** Sent on as it is. */
  readonly traceparent?: string | undefined
  /** The client's interest. Its abort ends the call at the provider at once, in whatever phase it is. */
  readonly signal: AbortSignal
  /** `performance.now()` from which the bound for the whole call counts, whoever was asked before. Default: now. */
  readonly startedAt?: number
  /** Milliseconds for the whole call, where that is less than the provider's own bound. */
  readonly totalMs?: number
}

/** One call that changes images. */
export interface ImageEditRequest extends Omit<CompletionRequest, 'body'> {
  /** The fields as OpenAI names them, with files under `image[]` or `image`, and `mask`. */
  readonly form: FormData
  /** Where the provider takes edits, when that is not OpenAI's place: under its base, or from its root with a `/`. */
  readonly path: string | null
}

/** Token counts in OpenAI's shape, with whatever else the provider reported. */
export interface CompletionUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly [detail: string]: unknown
}

/** A whole answer. */
export interface ProviderAnswer {
  /** The bytes that the provider sent. */
  readonly body: Buffer
  /** The same, parsed. */
  readonly json: JsonObject
  readonly headers: ResponseHeaders
}

/** Every frame that had queued when the reader asked: one while the reader keeps up, more when it is behind. */
export interface ProviderFrames {
  /** The JSON payloads as the provider sent them, one per frame, without `data: `. Slices: not to be written to. */
  readonly frames: Buffer[]
}

/** What is known of a stream; final once its iteration has ended. */
export interface StreamReport {
  readonly frames: number
  /** Milliseconds from the call to the first frame with text, reasoning or tool arguments; null while there is none. */
  readonly firstTokenMs: number | null
  /** Milliseconds from the call to the end, or to now. */
  readonly durationMs: number
  /** The last finish reason among the last frames. */
  readonly finishReason: string | null
  /** The provider's own figures, null where it sent none. */
  readonly usage: CompletionUsage | null
  /** An estimate of what was produced, for when there is no `usage`. */
  readonly estimatedCompletionTokens: number
}

/**
 * An answer in frames. `[DONE]` is never delivered: the end of the iteration is the end of a complete answer. Anything
 * less rejects, after all that came before has been delivered: with an AppError where the provider is at fault, with
 * the signal's reason where the client left. One `next()` at a time.
 */
export interface ProviderStream extends AsyncIterableIterator<ProviderFrames, undefined> {
  readonly status: number
  readonly headers: ResponseHeaders
  /** Ends the call at the provider at once and the iteration with it. Harmless after the end. */
  cancel(): void
  /**
   * Has `listener` called once, as soon as nothing more comes from the provider: with null after a complete answer, with the
   * failure of a broken one, with anything else where the client left. At once where that has happened. One listener.
   */
  whenOver(listener: (outcome: unknown) => void): void
  report(): StreamReport
}

/** What a model can do as far as its provider told; absent means unknown. */
export interface ModelCapabilities {
  readonly images?: boolean
  readonly embeddings?: boolean
  readonly reasoning?: boolean
  readonly audio?: boolean
  readonly video?: boolean
  readonly tools?: boolean
}

/** One entry of a provider's model list. */
export interface ProviderModel {
  /** The provider's own id. */
  readonly id: string
  readonly name?: string
  readonly description?: string
  /** Unix seconds. */
  readonly created?: number
  readonly ownedBy?: string
  /** Tokens. */
  readonly contextLength?: number
  readonly capabilities: ModelCapabilities
}

/**
 * A source of completions. Every method rejects with an AppError whose message is fit for clients: `provider_error`,
 * `upstream_timeout`, `provider_rate_limited` (with `retryAfter`), `model_not_found`, `invalid_parameter`; or with
 * `signal.reason` after an abort.
 */
export interface Provider {
  /** A chat completion in one piece. */
  complete(request: CompletionRequest): Promise<ProviderAnswer>
  /**
   * A chat completion in frames; `body` must ask for it (`stream: true`). Settles with the response head, so that a
   * refusal is a plain rejection.
   */
  stream(request: CompletionRequest): Promise<ProviderStream>
  embed(request: CompletionRequest): Promise<ProviderAnswer>
  /** Images of a prompt: the answer's `data` has at least one entry. */
  generateImages(request: CompletionRequest): Promise<ProviderAnswer>
  /** Images made of others; answers as `generateImages`. */
  editImages(request: ImageEditRequest): Promise<ProviderAnswer>
  listModels(signal: AbortSignal): Promise<ProviderModel[]>
  /** Refuses new calls and settles when the running ones have ended. */
  close(): Promise<void>
}
