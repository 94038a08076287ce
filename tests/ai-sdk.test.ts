import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  APICallError,
  cosineSimilarity,
  type EmbeddingModel,
  embed,
  embedMany,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
} from 'ai'
import { z } from 'zod'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let token: string
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, MODEL_ALIASES: 'jan-v1-4b=jan-dev' })
  token = (await guest(server)).token
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

interface Models {
  chat(id: string): LanguageModel
  embedding(id: string): EmbeddingModel
}

/** As each package's documentation sets it up for a server of one's own. */
const packages: [string, (apiKey: string) => Models][] = [
  [
    '@ai-sdk/openai-compatible',
    (apiKey) => {
      const provider = createOpenAICompatible({
        name: 'jan',
        apiKey,
        baseURL: `${server.url}/v1`,
        includeUsage: true,
        supportsStructuredOutputs: true,
      })
      return { chat: (id) => provider.chatModel(id), embedding: (id) => provider.embeddingModel(id) }
    },
  ],
  [
    '@ai-sdk/openai',
    (apiKey) => {
      const openai = createOpenAI({ apiKey, baseURL: `${server.url}/v1` })
      return { chat: (id) => openai.chat(id), embedding: (id) => openai.embedding(id) }
    },
  ],
]

const tools = {
  weather: tool({
    description: 'Get the weather in a location',
    inputSchema: z.object({ location: z.string().describe('The location to get the weather for') }),
    execute: async ({ location }) => ({ location, temperature: 31 }),
  }),
}

const recipe = Output.object({
  schema: z.object({
    recipe: z.object({
      name: z.string(),
      ingredients: z.array(z.object({ name: z.string(), amount: z.string() })),
      steps: z.array(z.string()),
    }),
  }),
})

async function collect<Part>(parts: AsyncIterable<Part>): Promise<Part[]> {
  const all: Part[] = []
  for await (const part of parts) all.push(part)
  return all
}

describe.each(packages)('the AI SDK with %s', (_, connect) => {
  let models: Models
  let model: LanguageModel
  beforeAll(() => {
    models = connect(token)
    model = models.chat('jan-v1-4b')
  })

  it('generates text, with usage and the model that was asked for', async () => {
    const { text, finishReason, usage, response } = await generateText({ model, prompt: 'Hello!' })
    expect(text).toContain('Hello!')
    expect(finishReason).toBe('stop')
    expect(usage.inputTokens).toBeGreaterThan(0)
    expect(usage.outputTokens).toBeGreaterThan(0)
    expect(response).toMatchObject({ modelId: 'jan-v1-4b' })
    expect(response.headers?.['x-request-id']).toBeTruthy()
  })

  it('streams text, with usage at the end', async () => {
    const { textStream, text, finishReason, usage } = streamText({ model, prompt: 'Hello!' })
    const parts = await collect(textStream)
    expect(parts.length).toBeGreaterThan(3)
    expect(parts.join('')).toBe(await text)
    expect(await text).toContain('Hello!')
    expect(await finishReason).toBe('stop')
    expect((await usage).totalTokens).toBeGreaterThan(0)
  })

  it('runs tools over several steps', async () => {
    const { text, steps } = await generateText({
      model,
      tools,
      stopWhen: isStepCount(5),
      prompt: 'Call weather for Hanoi.',
    })
    expect(steps).toHaveLength(2)
    expect(steps[0]).toMatchObject({
      finishReason: 'tool-calls',
      toolCalls: [{ toolName: 'weather' }],
      toolResults: [{ toolName: 'weather', output: { temperature: 31 } }],
    })
    expect(text).toContain('"temperature":31')
  })

  it('runs tools out of a stream', async () => {
    const result = streamText({ model, tools, stopWhen: isStepCount(5), prompt: 'Call weather for Hanoi.' })
    const types = (await collect(result.stream)).map(({ type }) => type)
    expect(types).toEqual(expect.arrayContaining(['tool-input-delta', 'tool-call', 'tool-result', 'finish']))
    expect(types).not.toContain('error')
    expect(await result.text).toContain('"temperature":31')
  })

  it('generates data of a schema', async () => {
    const { output } = await generateText({ model, output: recipe, prompt: 'Generate a lasagna recipe.' })
    expect(output.recipe.ingredients[0]).toEqual({ name: expect.any(String), amount: expect.any(String) })
  })

  it('streams data of a schema, piece by piece', async () => {
    const lasagna = {
      name: 'Lasagna',
      ingredients: [{ name: 'Pasta', amount: '250 g' }],
      steps: ['Bake it.'],
    }
    fake.script({ text: JSON.stringify({ recipe: lasagna }, null, 1) })
    const { partialOutputStream, output } = streamText({
      model: models.chat('fake-model'),
      output: recipe,
      prompt: 'Generate a lasagna recipe.',
    })
    const partials = await collect(partialOutputStream)
    expect(partials.length).toBeGreaterThan(1)
    expect(partials.at(-1)).toEqual(await output)
    expect(await output).toEqual({ recipe: lasagna })
  })

  it('embeds one value, and many', async () => {
    const embedding = models.embedding('jan-dev-embedding')
    const one = await embed({ model: embedding, value: 'sunny day at the beach' })
    const { embeddings, usage } = await embedMany({
      model: embedding,
      values: ['sunny day at the beach', 'rainy afternoon in the city'],
    })
    expect(embeddings).toHaveLength(2)
    expect(cosineSimilarity(one.embedding, embeddings[0] ?? [])).toBeCloseTo(1, 5)
    expect(cosineSimilarity(one.embedding, embeddings[1] ?? [])).toBeLessThan(0.9)
    expect(usage.tokens).toBeGreaterThan(0)
  })

  it('throws its own error on ours, with our message', async () => {
    const unknown = await generateText({
      model: models.chat('no-such-model'),
      prompt: 'Hello!',
      maxRetries: 0,
    }).catch((error: unknown) => error)
    if (!APICallError.isInstance(unknown)) throw unknown
    expect(unknown).toMatchObject({ statusCode: 404, isRetryable: false })
    expect(unknown.message).toMatch(/no such model|no-such-model/i)
    expect(unknown.data).toMatchObject({ error: { code: 'model_not_found', param: 'model' } })
    const stranger = generateText({ model: connect('nonsense').chat('jan-v1-4b'), prompt: 'Hello!' })
    await expect(stranger).rejects.toMatchObject({ name: 'AI_APICallError', statusCode: 401 })
  })

  it('reports a provider that fails in the middle of a stream as an error part', async () => {
    fake.script({ chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })], done: false })
    const errors: unknown[] = []
    const { stream } = streamText({
      model: models.chat('fake-model'),
      prompt: 'Hello!',
      onError: ({ error }) => void errors.push(error),
    })
    const parts = await collect(stream)
    expect(parts.map(({ type }) => type)).toEqual(expect.arrayContaining(['text-delta', 'error']))
    expect(errors).toHaveLength(1)
  })

  it('stops the provider when it is aborted', async () => {
    fake.script({ text: 'one two three', hang: 'mid-stream' })
    const arriving = fake.request()
    const leaving = new AbortController()
    const { stream } = streamText({
      model: models.chat('fake-model'),
      prompt: 'Hello!',
      abortSignal: leaving.signal,
    })
    const types: string[] = []
    for await (const { type } of stream) {
      types.push(type)
      if (type === 'text-delta') leaving.abort()
    }
    expect(types.at(-1)).toBe('abort')
    await (await arriving).left()
  })
})
