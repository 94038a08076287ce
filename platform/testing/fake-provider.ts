import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { chunksOf, completion, embeddings, modelList } from './fake-provider-answers.ts'

export { chatChunk } from './fake-provider-answers.ts'

type JsonObject = Record<string, unknown>

/** How the fake answers one request. What is left out is as a well-behaved provider does it. */
export interface Behaviour {
  /** Answers with this status and `body` in place of a completion. */
  readonly status?: number
  /** Sent as JSON, or as it is where it is a string. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** The text of the answer; a stream sends it word by word. Default `Hello from the fake provider.` */
  readonly text?: string
  /** The payloads of a stream in place of those made from `text`: objects as JSON, strings as they are. */
  readonly chunks?: readonly (JsonObject | string)[]
  /** Milliseconds before the head. */
  readonly headDelayMs?: number
  /** Milliseconds before each chunk but the first. */
  readonly chunkDelayMs?: number
  /** Never goes on: before the head, or after the chunks and before the end. */
  readonly hang?: 'before-head' | 'mid-stream'
  /** Resets the connection there. */
  readonly reset?: 'before-head' | 'mid-stream'
  /** Closes the connection in the middle of the answer: after the chunks of a stream, after half of a whole answer. */
  readonly breakOff?: boolean
  /** Writes the body of a stream in pieces of so many bytes, each its own HTTP chunk, cutting wherever that falls. */
  readonly cutBytes?: number
  /** `\r\n` framing in place of `\n`. */
  readonly crlf?: boolean
  /** Whether `[DONE]` ends a stream. Default true. */
  readonly done?: boolean
  /** Whether usage figures are sent (in streams: where asked for, or always with `always`). Default true. */
  readonly usage?: boolean | 'always'
  /** Fields added to the answer, or to every chunk. */
  readonly extra?: JsonObject
}

/** One request as the fake saw it. */
export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The body parsed; undefined where it is empty or not JSON. */
  readonly json: JsonObject | undefined
  /** `performance.now()` of its arrival, body included. */
  readonly receivedAt: number
  /** `performance.now()` of when the connection closed before the end of the answer (by the client, unless the script resets); null while it has not. */
  readonly leftAt: number | null
  /** Bytes of the answer that went out so far. */
  readonly bytesSent: number
  /** Settles with `leftAt` when the client leaves. Rejects when the answer ends first, or after `timeoutMs` (default 10,000). */
  left(timeoutMs?: number): Promise<number>
}

export interface FakeProviderOptions {
  /** Entries of `/v1/models`: ids, or whole entries. Default `['fake-model']`. */
  readonly models?: readonly (string | JsonObject)[]
  /** Milliseconds before `/v1/models` is answered. Default 0. */
  readonly listDelayMs?: number
  /** Decides by the request; what it has nothing for is answered by the script. */
  readonly answer?: (request: RecordedRequest) => Behaviour | null | Promise<Behaviour | null>
  /** When set, any other bearer is refused with 401. */
  readonly apiKey?: string
}

/** An OpenAI-compatible provider on a real socket that does as it is told. */
export interface FakeProvider {
  /** The base, with `/v1`. */
  readonly url: string
  readonly port: number
  /** Every request so far, the oldest first. */
  readonly requests: readonly RecordedRequest[]
  /** Connections that clients hold open. */
  readonly connections: number
  /** Queues behaviours: each is for one coming POST. Without any, answers are well-behaved. */
  script(...behaviours: Behaviour[]): void
  /** Drops what was scripted and has not been used. */
  unscript(): void
  /** Changes what `/v1/models` answers. */
  setModels(models: readonly (string | JsonObject)[]): void
  /** The next request to arrive, or the one at `index` of all requests as soon as it is there. */
  request(index?: number): Promise<RecordedRequest>
  close(): Promise<void>
}

/** Starts a fake provider on a free port of 127.0.0.1. */
export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const requests: RecordedRequest[] = []
  const behaviours: Behaviour[] = []
  const arrivals = new EventEmitter().setMaxListeners(0)
  let models = options.models ?? ['fake-model']
  let connections = 0

  const server = createServer((request, response) => {
    response.on('error', () => response.destroy())
    handle(request, response).catch(() => response.destroy())
  })
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = await recordRequest(request, response)
    requests.push(record)
    arrivals.emit('request', record)
    if (options.apiKey && record.headers.authorization !== `Bearer ${options.apiKey}`)
      return sendJson(response, 401, unauthorized)
    if (record.method === 'GET' && record.path === '/v1/models') {
      if (options.listDelayMs) await sleep(options.listDelayMs)
      return sendJson(response, 200, modelList(models))
    }
    await answer(record, response, (await options.answer?.(record)) ?? behaviours.shift() ?? {})
  }
  server.on('connection', (socket) => {
    connections++
    socket.on('close', () => connections--)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    get connections() {
      return connections
    },
    script: (...next) => void behaviours.push(...next),
    unscript: () => void behaviours.splice(0),
    setModels: (next) => {
      models = next
    },
    async request(index = requests.length) {
      while (requests.length <= index) await once(arrivals, 'request')
      return requests[index] as RecordedRequest
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const unauthorized = {
  error: {
    message: 'Incorrect API key provided: sk-fa***ke.',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
}
const notFound = {
  error: { message: 'Unknown request URL.', type: 'invalid_request_error', code: 'unknown_url' },
}

async function recordRequest(request: IncomingMessage, response: ServerResponse): Promise<RecordedRequest> {
  const parts: Buffer[] = []
  let leftAt: number | null = null
  response.on('close', () => {
    if (!response.writableFinished) leftAt = performance.now()
  })
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  const { socket } = request
  const sentBefore = socket.bytesWritten
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    json: parsed(body),
    receivedAt: performance.now(),
    get leftAt() {
      return leftAt
    },
    get bytesSent() {
      return socket.bytesWritten - sentBefore
    },
    async left(timeoutMs = 10_000) {
      if (!response.closed) await once(response, 'close', { signal: AbortSignal.timeout(timeoutMs) })
      if (leftAt === null) throw new Error('The answer ended before the client left.')
      return leftAt
    },
  }
}

function parsed(body: Buffer): JsonObject | undefined {
  try {
    return JSON.parse(body.toString()) as JsonObject
  } catch {
    // Recorded as undefined: tests may send anything.
    return undefined
  }
}

async function answer(
  request: RecordedRequest,
  response: ServerResponse,
  behaviour: Behaviour,
): Promise<void> {
  if (behaviour.headDelayMs) await sleep(behaviour.headDelayMs)
  if (behaviour.hang === 'before-head') return
  if (behaviour.reset === 'before-head') return reset(response)
  if (behaviour.status !== undefined || behaviour.body !== undefined) return sendScripted(response, behaviour)
  if (request.path.startsWith('/v1/embeddings'))
    return sendJson(response, 200, embeddings(request, behaviour))
  if (!request.path.startsWith('/v1/chat/completions')) return sendJson(response, 404, notFound)
  if (request.json?.stream !== true) {
    const whole = completion(request, behaviour)
    if (behaviour.breakOff) return sendHalf(response, whole)
    return sendJson(response, 200, whole, behaviour.headers)
  }
  await sendStream(request, response, behaviour)
}

function sendScripted(response: ServerResponse, { status = 200, body = {}, headers }: Behaviour): void {
  if (typeof body === 'string')
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
  else sendJson(response, status, body, headers)
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function sendHalf(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.destroySoon())
}

async function sendStream(
  request: RecordedRequest,
  response: ServerResponse,
  behaviour: Behaviour,
): Promise<void> {
  const end = behaviour.crlf ? '\r\n\r\n' : '\n\n'
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    ...behaviour.headers,
  })
  response.flushHeaders()
  const payloads = (behaviour.chunks ?? chunksOf(request, behaviour)).map(payloadText)
  if (behaviour.done !== false && !behaviour.hang && !behaviour.reset && !behaviour.breakOff)
    payloads.push('[DONE]')
  for (const [index, payload] of payloads.entries()) {
    if (index > 0 && behaviour.chunkDelayMs) await sleep(behaviour.chunkDelayMs)
    await write(response, Buffer.from(`data: ${payload}${end}`), behaviour.cutBytes)
    if (response.closed) return
  }
  if (behaviour.hang === 'mid-stream') return
  if (behaviour.reset === 'mid-stream') return reset(response)
  if (behaviour.breakOff) return response.socket?.destroySoon()
  response.end()
}

/** Respects backpressure, so that tests can see a reader that pauses. */
async function write(response: ServerResponse, bytes: Buffer, cutBytes = bytes.length): Promise<void> {
  for (let at = 0; at < bytes.length && !response.closed; at += cutBytes) {
    await new Promise((flushed) => response.write(bytes.subarray(at, at + cutBytes), flushed))
  }
}

/** A real RST, after what was written so far has left. */
async function reset(response: ServerResponse): Promise<void> {
  await sleep(10)
  response.socket?.resetAndDestroy()
}

function payloadText(chunk: JsonObject | string): string {
  return typeof chunk === 'string' ? chunk : JSON.stringify(chunk)
}
