import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { chatChunk, type FakeProvider, startFakeProvider } from '../../../platform/testing/fake-provider.ts'
import { firstAnswer } from './first-answer.ts'
import { type EndpointGuards, GuardedEndpoint, type Route } from './guarded-endpoint.ts'
import { createHttpProvider } from './http-provider.ts'
import type { Provider } from './provider.ts'

const never = new AbortController().signal
let fakes: FakeProvider[]
let clients: Provider[]
let endpoints: GuardedEndpoint[]
beforeEach(async () => {
  clients = []
  fakes = await Promise.all([startFakeProvider(), startFakeProvider()])
  endpoints = fakes.map(({ url }) => guarded(url))
})
afterEach(async () => {
  await Promise.all(fakes.map((fake) => fake.close()))
  await Promise.all(clients.map((client) => client.close()))
})

function guarded(url: string, guards: { queue?: object; circuit?: object } = {}): GuardedEndpoint {
  const client = createHttpProvider({ url, apiKey: null, vendor: 'custom' })
  clients.push(client)
  const all: EndpointGuards = {
    queue: { concurrency: 0, length: 10, waitMs: 10_000, ...guards.queue },
    circuit: { faults: 0, openMs: 60_000, ...guards.circuit },
  }
  return new GuardedEndpoint(client, all)
}

const way = (at: number, model = 'fake-model') => ({
  route: (endpoints[at] as GuardedEndpoint).route(model),
  model,
})
type Way = ReturnType<typeof way>
const asked = () => fakes.map(({ requests }) => requests.length)
const fake = (at: number) => fakes[at] as FakeProvider
const request = (model: string, signal: AbortSignal, stream = false) => ({
  body: { model, messages: [], stream },
  requestId: 'r',
  signal,
})

const usual = { retries: 2, signal: never, until: Number.POSITIVE_INFINITY }

interface Asking {
  readonly retries?: number
  readonly signal?: AbortSignal
  readonly until?: number
  readonly onFailure?: (way: Way, failure: unknown) => void
}

function complete(models: Way[][], asking: Asking = {}) {
  const { signal = never } = asking
  const ask = ({ route, model }: Way) =>
    route.whole({ caller: 'someone', signal }, (client) => client.complete(request(model, signal)))
  return firstAnswer(models, ask, { ...usual, ...asking })
}
function stream(models: Way[][]) {
  return firstAnswer(models, ({ route, model }: Way) => open(route, model), usual)
}
function open(route: Route, model: string) {
  return route.streamed({ caller: 'someone', signal: never }, (client) =>
    client.stream(request(model, never, true)),
  )
}

describe('an endpoint that fails before it answers', () => {
  it('is asked again, whole and streamed: reset, 500, 502, 503, 529', async () => {
    const failures = [
      { reset: 'before-head' } as const,
      ...[500, 502, 503, 529].map((status) => ({ status })),
    ]
    for (const ask of [complete, stream]) {
      for (const failure of failures) {
        const before = fake(0).requests.length
        fake(0).script(failure, failure)
        await ask([[way(0)]])
        expect(fake(0).requests.length - before).toBe(3)
      }
    }
  })

  it('is given up after so many tries, with its failure', async () => {
    fake(0).script({ status: 503 }, { status: 503 })
    await expect(complete([[way(0)]], { retries: 1 })).rejects.toMatchObject({ code: 'provider_error' })
    expect(asked()).toEqual([2, 0])
  })

  it('is not asked again after the time for the whole call', async () => {
    fake(0).script({ status: 503 })
    const until = performance.now() + 20
    await expect(complete([[way(0)], [way(1)]], { until })).rejects.toMatchObject({ code: 'provider_error' })
    expect(asked()).toEqual([1, 0])
  })

  it('is not asked again where the client leaves meanwhile', async () => {
    const client = new AbortController()
    fake(0).script({ status: 503 }, { status: 503 })
    const call = complete([[way(0)]], { signal: client.signal })
    await fake(0).request(0)
    client.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(asked()).toEqual([1, 0])
  })

  it('gives way to the next endpoint at once; both are asked again only after that', async () => {
    fake(0).script({ status: 500 })
    await complete([[way(0), way(1)]])
    expect(asked()).toEqual([1, 1])
    fake(0).script({ status: 500 }, { status: 500 })
    fake(1).script({ status: 500 })
    await expect(complete([[way(0), way(1)]])).rejects.toMatchObject({ code: 'provider_error' })
    expect(asked()).toEqual([3, 2])
  })

  it('is told of, also where another one answers', async () => {
    const failures: unknown[] = []
    fake(0).script({ status: 500 }, { status: 503 })
    await complete([[way(0)], [way(1)]], {
      retries: 1,
      onFailure: ({ model }, failure) => failures.push([model, (failure as Error).message]),
    })
    expect(failures).toEqual(
      [500, 503].map((status) => ['fake-model', `The model provider failed (HTTP ${status}).`]),
    )
  })

  it('gives way however many there are, and with no retries too', async () => {
    fake(0).script({ status: 500 })
    await complete([[way(0), way(1)]], { retries: 0 })
    expect(asked()).toEqual([1, 1])
  })
})

describe('an endpoint whose failure another try would not mend', () => {
  it('is not asked again, but the next one is: no access, no such model, an address that is none, HTML, a gateway that waited', async () => {
    const failures = [
      { status: 401 },
      { status: 404 },
      { status: 404, body: { error: { message: 'model not found' } } },
      { status: 504 },
      { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
    ]
    for (const ask of [complete, stream]) {
      for (const failure of failures) {
        const [first = 0, second = 0] = asked()
        fake(0).script(failure)
        await ask([[way(0), way(1)]])
        expect(asked()).toEqual([first + 1, second + 1])
        fake(0).script(failure)
        await expect(ask([[way(0)]])).rejects.toThrow()
        expect(asked()).toEqual([first + 2, second + 1])
      }
    }
  })

  it('is the only one asked where the request is at fault', async () => {
    fake(0).script({ status: 400, body: { error: { message: 'bad', param: 'n' } } })
    await expect(complete([[way(0), way(1)], [way(1)]])).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'n',
    })
    expect(asked()).toEqual([1, 0])
  })
})

describe('an answer that has begun', () => {
  it('and breaks is nobody else’s to give, whole', async () => {
    fake(0).script({ breakOff: true })
    await expect(complete([[way(0), way(1)], [way(1)]])).rejects.toMatchObject({ code: 'provider_error' })
    expect(asked()).toEqual([1, 0])
  })

  it('and breaks is nobody else’s to give, streamed', async () => {
    fake(0).script({ breakOff: true, chunks: [chatChunk({ content: 'half' })] })
    const answer = await stream([[way(0), way(1)], [way(1)]])
    expect((await answer.next()).value?.frames).toHaveLength(1)
    await expect(answer.next()).rejects.toMatchObject({ code: 'provider_error' })
    expect(asked()).toEqual([1, 0])
  })
})

describe('an endpoint that limits the rate', () => {
  it('is asked again when it said, where that is soon', async () => {
    fake(0).script({ status: 429, headers: { 'retry-after-ms': '300' } })
    await complete([[way(0)]])
    const [refused, answered] = fake(0).requests
    expect((answered?.receivedAt ?? 0) - (refused?.receivedAt ?? 0)).toBeGreaterThanOrEqual(295)
  })

  it('is left alone until then by all others, too', async () => {
    fake(0).script({ status: 429, headers: { 'retry-after': '30' } })
    for (let call = 0; call < 3; call += 1) await complete([[way(0), way(1)]])
    expect(asked()).toEqual([1, 3])
    await complete([[way(0, 'another model')]])
    expect(asked()).toEqual([2, 3])
  })

  it('is told of at once where all do for long', async () => {
    for (const at of [0, 1]) fake(at).script({ status: 429, headers: { 'retry-after': '30' } })
    const limited = { code: 'provider_rate_limited', status: 429, retryAfter: 30 }
    await expect(complete([[way(0), way(1)]])).rejects.toMatchObject(limited)
    await expect(complete([[way(0), way(1)]])).rejects.toMatchObject(limited)
    expect(asked()).toEqual([1, 1])
  })

  it('of 503 is heeded as well', async () => {
    fake(0).script({ status: 503, headers: { 'retry-after': '30' } })
    await complete([[way(0), way(1)]])
    await expect(complete([[way(0)]])).rejects.toMatchObject({ code: 'service_unavailable', retryAfter: 30 })
    expect(asked()).toEqual([1, 1])
  })
})

describe('the models that stand in', () => {
  it('are asked once nobody has the first one', async () => {
    fake(0).script({ status: 500 }, { status: 500 }, { status: 500 })
    const { json } = await complete([[way(0)], [way(1, 'stand-in')]])
    expect(json.model).toBe('stand-in')
    expect(asked()).toEqual([3, 1])
  })

  it('are asked at once where the first one’s circuit is open or its provider limits the rate for long', async () => {
    endpoints[0] = guarded(fake(0).url, { circuit: { faults: 1 } })
    fake(0).script({ status: 500 })
    const ways = [[way(0)], [way(1, 'stand-in')]]
    for (let call = 0; call < 2; call += 1)
      expect((await complete(ways, { retries: 0 })).json.model).toBe('stand-in')
    expect(asked()).toEqual([1, 2])
  })

  it('leave the first one’s failure to be told where they fail, too', async () => {
    fake(0).script({ status: 429, headers: { 'retry-after': '9' } })
    fake(1).script({ status: 400, body: { error: { message: 'too long for the stand-in' } } })
    await expect(complete([[way(0)], [way(1, 'stand-in')]])).rejects.toMatchObject({
      status: 429,
      retryAfter: 9,
    })
  })
})

describe('an endpoint that keeps failing', () => {
  beforeEach(() => {
    endpoints[0] = guarded(fake(0).url, { circuit: { faults: 3 } })
  })

  it('is not asked any more: 503 where there is no other, with the wait', async () => {
    fake(0).script({ reset: 'before-head' }, { status: 500 }, { status: 503 })
    await expect(complete([[way(0)]])).rejects.toMatchObject({ status: 502 })
    await expect(complete([[way(0)]])).rejects.toMatchObject({
      status: 503,
      code: 'service_unavailable',
      retryAfter: 60,
    })
    expect(asked()).toEqual([3, 0])
  })

  it('is still asked for other models', async () => {
    fake(0).script({ status: 500 }, { status: 500 }, { status: 500 })
    await expect(complete([[way(0)]])).rejects.toMatchObject({ status: 502 })
    await complete([[way(0, 'another model')]])
  })

  it('by breaking its streams is one of those', async () => {
    for (let call = 0; call < 3; call += 1) {
      fake(0).script({ breakOff: true, chunks: [chatChunk({ content: 'half' })] })
      const answer = await stream([[way(0)]])
      await answer.next()
      await expect(answer.next()).rejects.toMatchObject({ code: 'provider_error' })
    }
    await expect(stream([[way(0)]])).rejects.toMatchObject({ status: 503 })
  })

  it('is asked by all again as soon as a stream has begun after a while', async () => {
    let now = 0
    endpoints[0] = guarded(fake(0).url, { circuit: { faults: 1, now: () => now } })
    fake(0).script({ status: 500 }, { hang: 'mid-stream', chunks: [chatChunk({ content: 'x' })] })
    await expect(complete([[way(0)]], { retries: 0 })).rejects.toMatchObject({ status: 502 })
    await expect(complete([[way(0)]])).rejects.toMatchObject({ status: 503 })
    now = 60_000
    const long = await stream([[way(0)]])
    await complete([[way(0)]])
    long.cancel()
  })

  it('is none of those whose clients leave, or whose requests are refused', async () => {
    for (let call = 0; call < 4; call += 1) {
      fake(0).script({ hang: 'mid-stream', chunks: [chatChunk({ content: 'half' })] }, { status: 400 })
      const answer = await stream([[way(0)]])
      await answer.return?.()
      await expect(complete([[way(0)]])).rejects.toMatchObject({ status: 400 })
    }
    await complete([[way(0)]])
  })
})

describe('an endpoint with a bound', () => {
  const halfway = { hang: 'mid-stream', chunks: [chatChunk({ content: 'x' })] } as const
  beforeEach(() => {
    endpoints[0] = guarded(fake(0).url, { queue: { concurrency: 1, length: 1 } })
  })

  it('leaves calls to another that has room', async () => {
    fake(0).script(halfway)
    const long = await stream([[way(0), way(1)]])
    await complete([[way(0), way(1)]])
    expect(asked()).toEqual([1, 1])
    long.cancel()
  })

  it('has calls wait where there is none, until a stream ends in whatever way', async () => {
    const left = async () => (await stream([[way(0)]])).cancel()
    const ended = async () => {
      for await (const _ of await stream([[way(0)]]));
    }
    const broken = () => ended().catch(() => undefined)
    for (const [shape, end] of [
      [halfway, left],
      [{}, ended],
      [{ chunks: ['oops'] }, broken],
      [{ status: 400 }, broken],
    ] as const) {
      fake(0).script(shape)
      await end()
      expect((endpoints[0] as GuardedEndpoint).queue.hasRoom).toBe(true)
    }
    fake(0).script(halfway)
    const long = await stream([[way(0)]])
    const waiting = complete([[way(0)]])
    expect((endpoints[0] as GuardedEndpoint).queue.length).toBe(1)
    long.cancel()
    await waiting
  })

  it('refuses as 503 when too many wait, and a stand-in is asked before that', async () => {
    fake(0).script(halfway)
    const long = await stream([[way(0)]])
    const waiting = complete([[way(0)]])
    await expect(complete([[way(0)]])).rejects.toMatchObject({ status: 503, retryAfter: 1 })
    expect((await complete([[way(0)], [way(1, 'stand-in')]])).json.model).toBe('stand-in')
    long.cancel()
    await waiting
  })
})
