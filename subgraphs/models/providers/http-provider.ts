import { Pool } from 'undici'
import type { ProviderEndpoint, ProviderTimeouts } from './endpoint.ts'
import { type CallKind, credentialHeaders, defaultTimeouts, headTimeout, operationPath } from './endpoint.ts'
import { Exchange, type ExchangeRequest } from './exchange.ts'
import { readModelList } from './model-list.ts'
import { isObject, parseJson, parseObject } from './parse-object.ts'
import type {
  CompletionRequest,
  ImageEditRequest,
  Provider,
  ProviderAnswer,
  ProviderModel,
  ProviderStream,
} from './provider.ts'
import { carriesError, errorInAnswer, malformedAnswer, providerRefusal } from './provider-errors.ts'
import type { SecretsOfEndpoint } from './redact.ts'
import { StreamOpening } from './stream-opening.ts'
import { StreamRecord } from './stream-record.ts'
import { WholeBody, type WholeResponse } from './whole-body.ts'

export interface HttpProviderOptions {
  /** What is left out is as in `defaultTimeouts`. */
  readonly timeouts?: Partial<ProviderTimeouts>
  /**
   * How long a connection is kept for the next call, in milliseconds; a server's `Keep-Alive` header may say otherwise.
   * Default 4,000: under the 5 s after which the usual servers close theirs.
   */
  readonly keepAliveMs?: number
}

/** However long a server offers to keep a connection, in milliseconds. */
const longestKeepAliveMs = 60_000

/** An OpenAI-compatible endpoint over HTTP. It holds connections open for reuse: `close` it. */
export function createHttpProvider(endpoint: ProviderEndpoint, options: HttpProviderOptions = {}): Provider {
  return new HttpProvider(endpoint, options)
}

class HttpProvider implements Provider {
  readonly #base: URL
  readonly #pool: Pool
  readonly #credentials: string[]
  readonly #secrets: SecretsOfEndpoint
  readonly #timeouts: ProviderTimeouts

  constructor(endpoint: ProviderEndpoint, { timeouts, keepAliveMs = 4_000 }: HttpProviderOptions) {
    this.#base = new URL(endpoint.url)
    this.#credentials = credentialHeaders(endpoint)
    this.#secrets = { apiKey: endpoint.apiKey, hostname: this.#base.hostname }
    this.#timeouts = { ...defaultTimeouts, ...timeouts }
    // No bound on connections here, where calls would wait in the order in which they came: FairQueue bounds them.
    // HTTP/1.1 only: there an abort is the end of a connection, which every provider notices.
    this.#pool = new Pool(this.#base.origin, {
      pipelining: 1,
      connections: null,
      connectTimeout: this.#timeouts.connectMs,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: longestKeepAliveMs,
      bodyTimeout: 0,
      headersTimeout: 0,
      allowH2: false,
    })
  }

  async complete(request: CompletionRequest): Promise<ProviderAnswer> {
    const answer = await this.#answer('completion', 'chat/completions', request)
    const { choices } = answer.json
    if (!Array.isArray(choices) || !choices.every(isObject))
      throw malformedAnswer('sent an answer without choices')
    return answer
  }

  stream(request: CompletionRequest): Promise<ProviderStream> {
    const exchange = new Exchange(this.#post('stream', 'chat/completions', request))
    const opening = new StreamOpening(exchange, new StreamRecord(), this.#secrets)
    exchange.start(this.#pool, opening)
    return opening.opened
  }

  async embed(request: CompletionRequest): Promise<ProviderAnswer> {
    const answer = await this.#answer('query', 'embeddings', request)
    if (!Array.isArray(answer.json.data)) throw malformedAnswer('sent an answer without embeddings')
    return answer
  }

  async generateImages(request: CompletionRequest): Promise<ProviderAnswer> {
    return withImages(await this.#answer('completion', 'images/generations', request))
  }

  async editImages({ form, path, ...call }: ImageEditRequest): Promise<ProviderAnswer> {
    // The platform's own writer of forms: it tells the boundary that it chose.
    const encoded = new Response(form)
    const type = encoded.headers.get('content-type') ?? ''
    const body = Buffer.from(await encoded.arrayBuffer())
    const request = this.#post('completion', path ?? 'images/edits', { ...call, body }, type)
    return withImages(await this.#objectOf(request))
  }

  async listModels(signal: AbortSignal): Promise<ProviderModel[]> {
    const response = await this.#whole({
      method: 'GET',
      path: operationPath(this.#base, 'models'),
      headers: ['accept', 'application/json', ...this.#credentials],
      body: null,
      signal,
      deadlines: this.#deadlines('query'),
    })
    const models = readModelList(this.#accepted(response))
    if (!models) throw malformedAnswer('sent no list of models')
    return models
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  #answer(kind: CallKind, operation: string, request: CompletionRequest): Promise<ProviderAnswer> {
    return this.#objectOf(this.#post(kind, operation, request))
  }

  async #objectOf(request: ExchangeRequest): Promise<ProviderAnswer> {
    const response = await this.#whole(request)
    const json = this.#accepted(response)
    if (!isObject(json)) throw malformedAnswer('sent an answer that is not an object')
    return { body: response.body, json, headers: response.headers }
  }

  #whole(request: ExchangeRequest): Promise<WholeResponse> {
    const exchange = new Exchange(request)
    const body = new WholeBody(exchange)
    exchange.start(this.#pool, body)
    return body.response
  }

  /** The JSON of an answer that is a success by its status and by its content. */
  #accepted({ status, headers, body }: WholeResponse): unknown {
    if (status < 200 || status >= 300)
      throw providerRefusal(status, headers, parseObject(body), this.#secrets)
    const json = parseJson(body)
    if (json === undefined) throw malformedAnswer('sent an answer that is not JSON')
    if (isObject(json) && carriesError(json)) throw errorInAnswer(json, headers, this.#secrets)
    return json
  }

  #post(
    kind: CallKind,
    operation: string,
    request: CompletionRequest,
    contentType = 'application/json',
  ): ExchangeRequest {
    const { body, requestId, traceparent, signal, startedAt, totalMs } = request
    return {
      method: 'POST',
      path: operationPath(this.#base, operation),
      headers: [
        'content-type',
        contentType,
        'accept',
        kind === 'stream' ? 'text/event-stream, application/json' : 'application/json',
        'x-request-id',
        requestId,
        ...(traceparent === undefined ? [] : ['traceparent', traceparent]),
        ...this.#credentials,
      ],
      body: Buffer.isBuffer(body) ? body : JSON.stringify(body),
      signal,
      deadlines: this.#deadlines(kind, startedAt, totalMs),
    }
  }

  #deadlines(
    kind: CallKind,
    startedAt = performance.now(),
    mostMs = Number.POSITIVE_INFINITY,
  ): ExchangeRequest['deadlines'] {
    const { idleMs, totalMs } = this.#timeouts
    const restMs = Math.max(1, startedAt + Math.min(totalMs, mostMs) - performance.now())
    return { headMs: headTimeout(kind, this.#base, this.#timeouts), idleMs, totalMs: restMs }
  }
}

function withImages(answer: ProviderAnswer): ProviderAnswer {
  const { data } = answer.json
  if (!Array.isArray(data) || data.length === 0 || !data.every(isObject))
    throw malformedAnswer('sent an answer without images')
  return answer
}
