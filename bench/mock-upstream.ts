import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MockModel } from './completion-body.ts'
import { created, frameOf, sharedClock, tokenFrame } from './frames.ts'

/**
 * A provider that costs as little as possible: `node bench/mock-upstream.ts PORT`. A stream has `max_tokens` chunks.
 * `GET /left` tells how many clients have left in mid-stream so far.
 */
const pauseMs: Readonly<Record<MockModel, number>> = {
  // as fast as they are taken
  'mock-fast': 0,
  'mock-paced': 20,
  // each tells its number and when it was written
  'mock-stamped': 20,
  'mock-held': 10_000,
}
let left = 0

const models = JSON.stringify({
  object: 'list',
  data: Object.keys(pauseMs).map((id) => ({ id, object: 'model', created, owned_by: 'bench' })),
})

const usage = { prompt_tokens: 20, completion_tokens: 40, total_tokens: 60 }

/** Longer than any pause of a run: a proxy must not find its idle connections closed. */
const keepAliveTimeout = 600_000

createServer({ keepAliveTimeout }, (request, response) => {
  answer(request, response).catch(() => response.destroy())
}).listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 })

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/left') return sendJson(response, JSON.stringify({ left }))
  if (request.method === 'GET') return sendJson(response, models)
  const asked = JSON.parse(await bodyOf(request)) as Asked
  if (asked.stream === true) await sendStream(response, asked)
  else sendJson(response, completion(asked.model))
}

interface Asked {
  readonly model: MockModel
  readonly stream?: boolean
  readonly max_tokens?: number
  readonly stream_options?: { readonly include_usage?: boolean } | null
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

function sendJson(response: ServerResponse, body: string): void {
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

function completion(model: string): string {
  const content = 'The quick brown fox jumps over the lazy dog. '.repeat(4)
  return JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  })
}

async function sendStream(response: ServerResponse, asked: Asked): Promise<void> {
  const leaving = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) left++
    leaving.abort()
  })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const count = asked.max_tokens ?? 1
  const same = tokenFrame(asked.model, ' token')
  for (let sent = 0; sent < count && !response.destroyed; sent++) {
    const stamp = asked.model === 'mock-stamped'
    const frame = stamp ? tokenFrame(asked.model, `${sent}@${sharedClock()}`) : same
    if (!response.write(frame)) await drained(response)
    await pause(pauseMs[asked.model], leaving.signal)
  }
  if (asked.stream_options?.include_usage === true) response.write(frameOf(asked.model, [], usage))
  response.end('data: [DONE]\n\n')
}

/** Every chunk is a write of its own, as a provider's are. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return new Promise((resolve) => setImmediate(resolve))
  return sleep(ms, undefined, { signal })
}

async function drained(response: ServerResponse): Promise<void> {
  await Promise.race([once(response, 'drain'), once(response, 'close')])
}
