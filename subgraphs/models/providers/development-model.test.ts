import { describe, expect, it } from '@jest/globals'
import { ChunkAccumulator } from './chunk-accumulator.ts'
import { createDevelopmentProvider } from './development-model.ts'
import type { JsonObject } from './provider.ts'

const provider = createDevelopmentProvider()
const never = new AbortController().signal
const user = (content: unknown) => ({ role: 'user', content })
const hello = [user('Hello!')]
const request = (body: JsonObject, signal = never) => ({
  body: { model: 'jan-dev', messages: hello, ...body },
  requestId: 'r',
  signal,
})

interface Choice {
  message: {
    content: string | null
    reasoning_content?: string
    tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  }
  finish_reason: string
}
async function complete(body: JsonObject = {}) {
  const { json } = await provider.complete(request(body))
  return {
    json,
    choices: json.choices as Choice[],
    first: (json.choices as Choice[])[0] as Choice,
    usage: json.usage as Record<string, number>,
  }
}
async function stream(body: JsonObject = {}) {
  const opened = await provider.stream(request({ stream: true, ...body }))
  const frames: JsonObject[] = []
  const accumulator = new ChunkAccumulator()
  for await (const batch of opened) {
    for (const frame of batch.frames) {
      frames.push(JSON.parse(frame.toString()))
      accumulator.add(frame)
    }
  }
  return { frames, accumulator, report: opened.report() }
}

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['c', 'f'] } },
      required: ['city'],
    },
  },
}
const time = { type: 'function', function: { name: 'get_time' } }

describe('the development model in chat', () => {
  it('says what it is and repeats what it was told, always the same', async () => {
    const { first, usage, json } = await complete()
    expect(first).toMatchObject({
      message: {
        content: `[development model] This is Jan's built-in development model: no intelligence, only plumbing. You said: "Hello!"`,
      },
      finish_reason: 'stop',
    })
    expect(usage).toEqual({ prompt_tokens: 1, completion_tokens: 15, total_tokens: 16 })
    expect(json).toMatchObject({ object: 'chat.completion', model: 'jan-dev' })
    const again = await complete()
    expect(again.first).toEqual(first)
    expect(again.json.id).not.toBe(json.id)
  })

  it('takes its body as bytes too', async () => {
    const body = Buffer.from(JSON.stringify({ model: 'jan-dev', messages: [user('bytes')] }))
    expect((await provider.complete({ body, requestId: 'r', signal: never })).body.toString()).toContain(
      'You said: \\"bytes\\"',
    )
  })

  it('streams the same answer word by word: the role first, then text, the finish, the usage where asked', async () => {
    const { frames, accumulator, report } = await stream({ stream_options: { include_usage: true } })
    const { first, usage } = await complete()
    expect(frames[0]).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ delta: { role: 'assistant', content: '' } }],
    })
    expect(frames.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] })
    expect(frames.at(-1)).toMatchObject({ choices: [], usage })
    expect(frames).toHaveLength(1 + 15 + 2)
    expect(accumulator.choice(0)?.message.content).toBe(first.message.content)
    expect(report).toMatchObject({ finishReason: 'stop', usage })
    expect(JSON.stringify((await stream()).frames)).not.toContain('usage')
  })

  it('obeys n, stop and max_tokens', async () => {
    expect((await complete({ n: 3 })).choices).toHaveLength(3)
    const schema = { type: 'object', properties: { a: { const: 'x'.repeat(100_000) } } }
    const long = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }
    expect((await complete({ n: 20, ...long })).choices).toHaveLength(20)
    await expect(complete({ n: 60, ...long })).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'n',
    })
    const { accumulator } = await stream({ n: 2 })
    expect([0, 1, 2].map((index) => accumulator.choice(index)?.finish_reason)).toEqual([
      'stop',
      'stop',
      undefined,
    ])
    expect((await complete({ stop: [' built', 'Jan'] })).first.message.content).toBe(
      '[development model] This is ',
    )
    const cut = await complete({ max_tokens: 2 })
    expect([cut.first.message.content, cut.first.finish_reason, cut.usage.completion_tokens]).toEqual([
      '[development model]',
      'length',
      2,
    ])
    expect((await complete({ max_completion_tokens: 3, max_tokens: 9 })).usage.completion_tokens).toBe(3)
  })

  it('knows how much of the conversation it was sent', async () => {
    const messages = [
      { role: 'system', content: 's' },
      user('one'),
      { role: 'assistant', content: 'two' },
      user('three'),
    ]
    expect((await complete({ messages })).first.message.content).toContain(
      'I was also sent 2 earlier messages',
    )
  })

  it('repeats long and odd text within bounds, without breaking characters', async () => {
    const content =
      (await complete({ messages: [user(`${'😀'.repeat(3_000)}"\u0000`)] })).first.message.content ?? ''
    expect(content.length).toBeLessThan(4_200)
    expect(content.isWellFormed()).toBe(true)
  })

  it('reasons when an effort is set, and not otherwise', async () => {
    expect((await complete()).first.message.reasoning_content).toBeUndefined()
    const { first, usage } = await complete({ reasoning_effort: 'high' })
    expect(first.message.reasoning_content).toContain('Effort high')
    expect((usage as { completion_tokens_details?: unknown }).completion_tokens_details).toEqual({
      reasoning_tokens: 16,
    })
    const streamed = (await stream({ reasoning_effort: 'high' })).accumulator.choice(0)?.message
    expect(streamed?.reasoning_content).toBe(first.message.reasoning_content)
  })

  it('says which images it was sent', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAADElEQVR42mNgoBoAAABJAAE='
    const parts = [
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.jpg' } },
    ]
    const { first } = await complete({ messages: [user(parts)] })
    expect(first.message.content).toContain('You said: "Look" You sent 2 images: image/png, 2x3, ')
    expect(first.message.content).toContain('one by its address')
  })
})

describe('the development model with tools', () => {
  it('calls the function that the user names, with arguments that fit its schema', async () => {
    const { first } = await complete({
      tools: [time, weather],
      messages: [user('Please get weather in Paris')],
    })
    expect(first).toMatchObject({ message: { content: null }, finish_reason: 'tool_calls' })
    expect(first.message.tool_calls).toHaveLength(1)
    expect(first.message.tool_calls?.[0]).toMatchObject({
      id: expect.stringMatching(/^call_/),
      function: { name: 'get_weather', arguments: '{"city":"text","unit":"c"}' },
    })
  })

  it('streams the call in deltas that come to the same', async () => {
    const { accumulator } = await stream({ tools: [weather], tool_choice: 'required' })
    expect(accumulator.choice(0)).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"text","unit":"c"}' } }],
      },
    })
  })

  it('obeys tool_choice and parallel_tool_calls', async () => {
    const names = async (body: JsonObject) =>
      (await complete({ tools: [weather, time], ...body })).first.message.tool_calls?.map(
        (call) => call.function.name,
      )
    const both = [user('call get_time and get_weather')]
    expect(await names({})).toBeUndefined()
    expect(await names({ messages: [user('please use a tool')] })).toEqual(['get_weather'])
    expect(await names({ messages: both })).toEqual(['get_weather', 'get_time'])
    expect(await names({ messages: both, parallel_tool_calls: false })).toEqual(['get_weather'])
    expect(await names({ messages: both, tool_choice: 'none' })).toBeUndefined()
    expect(await names({ tool_choice: 'required' })).toEqual(['get_weather'])
    expect(await names({ tool_choice: { type: 'function', function: { name: 'get_time' } } })).toEqual([
      'get_time',
    ])
    await expect(
      complete({ tools: [time], tool_choice: { type: 'function', function: { name: 'x' } } }),
    ).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'tool_choice',
    })
  })

  it('answers with the result of a tool', async () => {
    const messages = [
      user('get_weather'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '22 degrees' },
    ]
    const { first } = await complete({ tools: [weather], messages })
    expect([first.message.content, first.finish_reason]).toEqual([
      '[development model] The tool get_weather answered: 22 degrees',
      'stop',
    ])
  })
})

describe('the development model in JSON mode', () => {
  it('answers with an object, or with an instance of the schema', async () => {
    const free = await complete({ response_format: { type: 'json_object' } })
    expect(JSON.parse(free.first.message.content ?? '')).toMatchObject({
      model: 'development model',
      you_said: 'Hello!',
    })
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
    }
    const format = { response_format: { type: 'json_schema', json_schema: { name: 'p', schema } } }
    expect(JSON.parse((await complete(format)).first.message.content ?? '')).toEqual({ name: 'text', age: 1 })
    expect(JSON.parse((await stream(format)).accumulator.choice(0)?.message.content ?? '')).toEqual({
      name: 'text',
      age: 1,
    })
  })
})

describe('the development model and a client that leaves', () => {
  it('stops in the middle, paced or not', async () => {
    for (const chunkDelayMs of [0, 20]) {
      const client = new AbortController()
      const opened = await createDevelopmentProvider({ chunkDelayMs }).stream(
        request({ stream: true }, client.signal),
      )
      await opened.next()
      setTimeout(() => client.abort(), 5)
      const rest = async () => {
        for await (const _ of opened) if (chunkDelayMs === 0) await new Promise((next) => setTimeout(next, 1))
      }
      await expect(rest()).rejects.toMatchObject({ name: 'AbortError' })
      expect(opened.report().finishReason).toBeNull()
    }
  })

  it('does not begin after an abort, and ends when it is cancelled', async () => {
    await expect(provider.complete(request({}, AbortSignal.abort()))).rejects.toMatchObject({
      name: 'AbortError',
    })
    const opened = await createDevelopmentProvider({ chunkDelayMs: 10_000 }).stream(request({ stream: true }))
    await opened.next()
    const waiting = opened.next()
    opened.cancel()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })
})

describe('the development model in embeddings', () => {
  const embed = async (body: JsonObject) =>
    (await provider.embed({ body: { model: 'jan-dev-embedding', ...body }, requestId: 'r', signal: never }))
      .json
  const vectors = async (...input: string[]) =>
    ((await embed({ input })).data as { embedding: number[] }[]).map(({ embedding }) => embedding)
  const dot = (a: number[] = [], b: number[] = []) =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)

  it('gives unit vectors, closer for texts that share words', async () => {
    const [cat, kitten, tax, empty] = await vectors(
      'the cat sat on the mat',
      'a cat sat on a mat',
      'income tax law of 1984',
      '',
    )
    expect(dot(cat, cat)).toBeCloseTo(1, 5)
    expect(dot(empty, empty)).toBeCloseTo(1, 5)
    expect(dot(cat, kitten)).toBeGreaterThan(dot(cat, tax) + 0.3)
    expect((await vectors('the cat sat on the mat'))[0]).toEqual(cat)
  })

  it('obeys dimensions and the base64 encoding, which says the same', async () => {
    const input = 'hello world'
    const floats = ((await embed({ input, dimensions: 8 })).data as { embedding: number[] }[])[0]?.embedding
    const text =
      ((await embed({ input, dimensions: 8, encoding_format: 'base64' })).data as { embedding: string }[])[0]
        ?.embedding ?? ''
    expect(floats).toHaveLength(8)
    expect([...new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)]).toEqual(floats)
  })

  it('takes token arrays, counts, and refuses what is no input', async () => {
    expect(await embed({ input: [[1, 2], [3]] })).toMatchObject({
      data: [{ index: 0 }, { index: 1 }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })
    expect((await embed({ input: [1, 2, 3] })).data).toHaveLength(1)
    for (const input of [[], undefined, [{}], 5])
      await expect(embed({ input })).rejects.toMatchObject({ param: 'input' })
    await expect(embed({ input: 'x', dimensions: 0 })).rejects.toMatchObject({ param: 'dimensions' })
  })
})

describe('the models of the development provider', () => {
  it('are labelled, and each does only its own', async () => {
    const models = await provider.listModels(never)
    expect(models.map(({ id }) => id)).toEqual(['jan-dev', 'jan-dev-embedding'])
    for (const { name, description } of models)
      expect(`${name} ${description}`).toMatch(/no intelligence.*deterministic/s)
    await expect(complete({ model: 'jan-dev-embedding' })).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'model',
    })
    await expect(complete({ model: 'other' })).rejects.toMatchObject({ code: 'model_not_found' })
    await expect(complete({ messages: [] })).rejects.toMatchObject({
      code: 'invalid_parameter',
      param: 'messages',
    })
  })
})
