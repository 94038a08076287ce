import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { AppError } from '../../../platform/errors.ts'
import {
  type Behaviour,
  chatChunk,
  type FakeProvider,
  startFakeProvider,
} from '../../../platform/testing/fake-provider.ts'
import { ChunkAccumulator } from './chunk-accumulator.ts'
import type { ProviderTimeouts } from './endpoint.ts'
import { createHttpProvider } from './http-provider.ts'
import type { Provider, ProviderStream } from './provider.ts'

let fake: FakeProvider
let provider: Provider

beforeEach(async () => {
  fake = await startFakeProvider()
  provider = connect()
})
afterEach(async () => {
  await provider.close()
  await fake.close()
})

function connect(timeouts: Partial<ProviderTimeouts> = {}): Provider {
  return createHttpProvider({ url: fake.url, apiKey: null, vendor: 'custom' }, { timeouts })
}

const never = new AbortController().signal
function open(
  behaviour: Behaviour = {},
  signal: AbortSignal = never,
  from: Provider = provider,
): Promise<ProviderStream> {
  fake.script(behaviour)
  const body = { model: 'fake-model', stream: true, stream_options: { include_usage: true } }
  return from.stream({ body, requestId: 'r', signal })
}

/** Reads to the end: every frame, the text, and the error that ended it. */
async function read(stream: ProviderStream) {
  const frames: string[] = []
  const accumulator = new ChunkAccumulator()
  let error: unknown = null
  try {
    for await (const batch of stream) {
      for (const frame of batch.frames) {
        frames.push(frame.toString())
        accumulator.add(frame)
      }
    }
  } catch (thrown) {
    error = thrown
  }
  return { frames, text: accumulator.choice(0)?.message.content ?? '', error }
}

const broken = { code: 'provider_error' }

describe('a stream', () => {
  it('delivers the payloads as they were sent, without [DONE], and reports on itself', async () => {
    const stream = await open({ text: 'one two three', extra: { vendor: { n: 1 } } })
    expect(stream.status).toBe(200)
    const { frames, text, error } = await read(stream)
    expect([text, error]).toEqual(['one two three', null])
    expect(frames).toHaveLength(6)
    expect(JSON.parse(frames[1] as string)).toMatchObject({ vendor: { n: 1 } })
    expect(stream.report()).toMatchObject({
      frames: 6,
      finishReason: 'stop',
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      estimatedCompletionTokens: 4,
    })
    expect(stream.report().firstTokenMs).toBeGreaterThan(0)
    expect(stream.report().durationMs).toBe(stream.report().durationMs)
  })

  it('is the same whatever the framing and wherever the bytes are cut', async () => {
    const text = 'grüße 😀 \n\n data: [DONE] \r\n ende'
    for (const shape of [{}, { cutBytes: 1 }, { cutBytes: 7 }, { crlf: true }, { crlf: true, cutBytes: 3 }]) {
      const result = await read(await open({ text, ...shape }))
      expect([result.text, result.error]).toEqual([text, null])
    }
  })

  it('carries a line of 10 MB', async () => {
    const chunks = [chatChunk({ content: 'x'.repeat(10_000_000) }), chatChunk({}, 'stop')]
    const { text, error } = await read(await open({ chunks }))
    expect([text.length, error]).toEqual([10_000_000, null])
  })

  it('is refused when a frame is over 16 MB, and the provider let go', async () => {
    const { error } = await read(
      await open({ chunks: [{ text: 'x'.repeat(17_000_000) }], hang: 'mid-stream' }),
    )
    expect(error).toMatchObject(broken)
    await fake.requests[0]?.left()
  })

  it('hands out frames one by one to a reader that keeps up, together to one that is behind', async () => {
    const chunks = Array.from({ length: 20 }, (_, i) =>
      chatChunk({ content: `${i} ` }, i === 19 ? 'stop' : null),
    )
    const prompt = await open({ chunks, chunkDelayMs: 50 })
    expect((await prompt.next()).value?.frames).toHaveLength(1)
    await prompt.return?.()
    const slow = await open({ chunks, chunkDelayMs: 1 })
    await sleep(500)
    expect((await slow.next()).value?.frames).toHaveLength(20)
    expect((await slow.next()).done).toBe(true)
  })

  it('leaves its connection to the next call', async () => {
    for (let i = 0; i < 4; i++) {
      await read(await open())
      await sleep(5)
    }
    expect(fake.connections).toBe(1)
  })

  it('does not wait for a provider that goes on after [DONE]', async () => {
    const finish = chatChunk({}, 'stop')
    const { error } = await read(
      await open({ chunks: [chatChunk({ content: 'x' }), finish, '[DONE]', finish], hang: 'mid-stream' }),
    )
    expect(error).toBeNull()
    await fake.requests[0]?.left(3_000)
  })
})

describe('the end of a stream', () => {
  it('is good without [DONE] after a finish reason, however the connection ends', async () => {
    for (const shape of [{ done: false }, { reset: 'mid-stream' } as const]) {
      const { text, error } = await read(await open({ text: 'all of it', ...shape }))
      expect([text, error]).toEqual(['all of it', null])
    }
  })

  it('is good with a last frame that lacks its blank line', async () => {
    const body = `data: ${JSON.stringify(chatChunk({ content: 'x' }))}\n\ndata: ${JSON.stringify(chatChunk({}, 'stop'))}`
    const { text, error } = await read(await open({ body, headers: { 'content-type': 'text/event-stream' } }))
    expect([text, error]).toEqual(['x', null])
  })

  it('is an error without a finish reason, after all that came before was delivered', async () => {
    for (const shape of [{ done: false }, { reset: 'mid-stream' } as const]) {
      const { text, error } = await read(await open({ chunks: [chatChunk({ content: 'half' })], ...shape }))
      expect(text).toBe('half')
      expect(error).toMatchObject(broken)
    }
  })

  it('is an error where the provider sends one, in any of its shapes', async () => {
    const first = chatChunk({ content: 'half "error" ' })
    const errors = [
      { error: { message: 'sk-key-123456 exploded', type: 'server_error' } },
      { ...chatChunk({}, 'error'), error: { code: 502, message: 'Provider disconnected' } },
      { object: 'error', message: 'boom' },
      { error: 'boom' },
    ]
    for (const error of errors) {
      const result = await read(await open({ chunks: [first, error, chatChunk({ content: 'late' })] }))
      expect(result.text).toBe('half "error" ')
      expect(result.error).toMatchObject(broken)
      expect((result.error as AppError).message).not.toContain('sk-')
    }
    const limited = await read(await open({ chunks: [first, { error: { type: 'rate_limit_error' } }] }))
    expect(limited.error).toMatchObject({ code: 'provider_rate_limited' })
  })

  it('is no error for a null error field', async () => {
    const { error, frames } = await read(
      await open({ chunks: [chatChunk({ content: 'x' }, 'stop', { error: null })] }),
    )
    expect([error, frames.length]).toEqual([null, 1])
  })

  it('is an error where a frame is not JSON', async () => {
    const { error, text } = await read(await open({ chunks: [chatChunk({ content: 'a' }), 'oops'] }))
    expect([text, (error as AppError).code]).toEqual(['a', 'provider_error'])
  })

  it('tells its error once and is done then', async () => {
    const stream = await open({ chunks: ['oops'] })
    await expect(stream.next()).rejects.toMatchObject(broken)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })
})

describe('a stream that does not open', () => {
  it('is a plain refusal', async () => {
    await expect(
      open({ status: 400, body: { error: { message: 'bad', param: 'n' } } }),
    ).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'n',
    })
    await expect(open({ status: 200, body: { choices: [] } })).rejects.toMatchObject(broken)
    await expect(open({ status: 200, body: { error: { code: 429 } } })).rejects.toMatchObject({
      code: 'provider_rate_limited',
    })
    await expect(open({ reset: 'before-head' })).rejects.toMatchObject(broken)
  })
})

describe('silence', () => {
  it('in the middle is a timeout', async () => {
    const hasty = connect({ idleMs: 50 })
    const { error, text } = await read(
      await open({ hang: 'mid-stream', chunks: [chatChunk({ content: 'x' })] }, never, hasty),
    )
    expect([text, (error as AppError).code]).toEqual(['x', 'upstream_timeout'])
    await fake.requests[0]?.left()
    await hasty.close()
  })

  it('counts from the last byte, and the whole has a bound of its own', async () => {
    const hasty = connect({ idleMs: 500, totalMs: 1_200 })
    const chunks = Array.from({ length: 40 }, () => chatChunk({ content: 'x' }))
    const started = performance.now()
    const { error } = await read(await open({ chunks, chunkDelayMs: 100 }, never, hasty))
    expect((error as AppError).code).toBe('upstream_timeout')
    expect(performance.now() - started).toBeGreaterThan(1_000)
    await hasty.close()
  })

  it('of a slow reader is not the fault of the provider', async () => {
    const hasty = connect({ idleMs: 400 })
    const chunks = Array.from({ length: 400 }, (_, i) =>
      chatChunk({ content: 'y'.repeat(10_000) }, i === 399 ? 'stop' : null),
    )
    const stream = await open({ chunks }, never, hasty)
    await sleep(900)
    const { error, text } = await read(stream)
    expect([error, text.length]).toEqual([null, 4_000_000])
    await hasty.close()
  })
})

describe('a reader that is behind', () => {
  it('stops the provider: little is held for it', async () => {
    const chunks = Array.from({ length: 3_000 }, () => chatChunk({ content: 'z'.repeat(10_000) }))
    const stream = await open({ chunks: [...chunks, chatChunk({}, 'stop')] })
    await sleep(300)
    // What is out is what fits into the kernel's buffers and our queue, out of 30 MB.
    expect(fake.requests[0]?.bytesSent).toBeLessThan(12_000_000)
    const first = await stream.next()
    expect(first.value?.frames.reduce((sum, frame) => sum + frame.length, 0)).toBeLessThan(256 * 1024)
    const { text } = await read(stream)
    expect(text.length).toBeGreaterThan(29_000_000)
  })
})

describe('leaving a stream', () => {
  const half: Behaviour = { chunks: [chatChunk({ content: 'half' })], hang: 'mid-stream' }

  it('by the signal ends it at the provider at once, with the reason for the reader', async () => {
    const client = new AbortController()
    const stream = await open(half, client.signal)
    await stream.next()
    const waiting = stream.next()
    client.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await fake.requests[0]?.left()
    expect(stream.report()).toMatchObject({ usage: null, finishReason: null, estimatedCompletionTokens: 1 })
  })

  it('by the signal still delivers what had come', async () => {
    const client = new AbortController()
    const stream = await open(half, client.signal)
    await sleep(30)
    client.abort()
    const { text, error } = await read(stream)
    expect([text, (error as Error).name]).toEqual(['half', 'AbortError'])
  })

  it('by breaking out of the loop, or by cancel, ends it at the provider', async () => {
    for await (const _ of await open(half)) break
    await fake.requests[0]?.left()
    const stream = await open(half)
    await stream.next()
    const waiting = stream.next()
    stream.cancel()
    expect(await waiting).toEqual({ done: true, value: undefined })
    await fake.requests[1]?.left()
  })

  it('while the provider is held back by a slow reader ends it too', async () => {
    const client = new AbortController()
    await open(
      { chunks: Array.from({ length: 2_000 }, () => chatChunk({ content: 'z'.repeat(10_000) })) },
      client.signal,
    )
    await sleep(100)
    client.abort()
    await fake.requests[0]?.left()
  })
})

describe('many streams', () => {
  it('run beside each other without waiting', async () => {
    const streams = await Promise.all(
      Array.from({ length: 60 }, () => open({ hang: 'mid-stream', chunks: [chatChunk({ content: 'x' })] })),
    )
    expect(fake.connections).toBe(60)
    for (const stream of streams) stream.cancel()
  })
})
