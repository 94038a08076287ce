import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { z } from 'zod'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest } from './client.ts'
import { startTestServer, type TestServer } from './server.ts'

let fake: FakeProvider
let server: TestServer
let apiKey: string
beforeAll(async () => {
  fake = await startFakeProvider()
  server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, MODEL_ALIASES: 'jan-v1-4b=jan-dev' })
  apiKey = (await guest(server)).token
}, 60_000)
afterAll(async () => {
  await server.stop()
  await fake.close()
})

/** As LangChain's documentation sets it up for an OpenAI-compatible server. */
const chat = (model = 'jan-v1-4b', key = apiKey) =>
  new ChatOpenAI({ model, apiKey: key, maxRetries: 0, configuration: { baseURL: `${server.url}/v1` } })

const weather = tool(async ({ city }: { city: string }) => `It is sunny in ${city}.`, {
  name: 'weather',
  description: 'The weather of a city',
  schema: z.object({ city: z.string() }),
})

describe('LangChain', () => {
  it('invokes, with usage', async () => {
    const answer = await chat().invoke([new SystemMessage('Be brief.'), new HumanMessage('Hello!')])
    expect(answer.text).toContain('Hello!')
    expect(answer.usage_metadata?.total_tokens).toBeGreaterThan(0)
    expect(answer.response_metadata).toMatchObject({ finish_reason: 'stop', model_name: 'jan-v1-4b' })
  })

  it('runs in a chain', async () => {
    const prompt = ChatPromptTemplate.fromMessages([
      ['system', 'You translate {input_language} to {output_language}.'],
      ['human', '{input}'],
    ])
    const chain = prompt.pipe(chat()).pipe(new StringOutputParser())
    const answer = await chain.invoke({
      input_language: 'English',
      output_language: 'German',
      input: 'I love programming.',
    })
    expect(answer).toContain('I love programming.')
  })

  it('streams chunks that add up, with usage', async () => {
    const chunks: AIMessageChunk[] = []
    for await (const chunk of await chat().stream('Hello!')) chunks.push(chunk)
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk))
    expect(chunks.filter(({ text }) => text !== '').length).toBeGreaterThan(3)
    expect(whole.text).toContain('Hello!')
    expect(whole.usage_metadata?.total_tokens).toBeGreaterThan(0)
  })

  it('calls tools and takes their results', async () => {
    const model = chat().bindTools([weather])
    const question = new HumanMessage('Call weather for Hanoi.')
    const asked = await model.invoke([question])
    expect(asked.tool_calls).toMatchObject([{ name: 'weather', args: { city: expect.any(String) } }])
    const [call] = asked.tool_calls ?? []
    if (!call) throw new Error('no tool was called')
    const result: ToolMessage = await weather.invoke({ ...call, type: 'tool_call' })
    expect(result).toBeInstanceOf(ToolMessage)
    const answer = await model.invoke([question, asked, result])
    expect(answer.text).toContain('It is sunny in')
  })

  it('streams tool calls', async () => {
    const model = chat().bindTools([weather], { tool_choice: 'weather' })
    let whole: AIMessageChunk | undefined
    for await (const chunk of await model.stream('What is the weather in Hanoi?'))
      whole = whole ? whole.concat(chunk) : chunk
    expect(whole?.tool_calls).toMatchObject([{ name: 'weather', args: { city: expect.any(String) } }])
  })

  it.each(['jsonSchema', 'functionCalling'] as const)('answers in a structure by %s', async (method) => {
    const joke = z.object({ setup: z.string(), rating: z.number().int() })
    const model = chat().withStructuredOutput(joke, { name: 'joke', method })
    const answer = await model.invoke('Tell me a joke about cats.')
    expect(answer).toEqual({ setup: expect.any(String), rating: expect.any(Number) })
  })

  it('answers in JSON mode', async () => {
    const model = chat().withStructuredOutput(z.object({ you_said: z.string() }), { method: 'jsonMode' })
    expect(await model.invoke('Repeat this as JSON.')).toEqual({ you_said: 'Repeat this as JSON.' })
  })

  it('embeds documents and queries', async () => {
    const embeddings = new OpenAIEmbeddings({
      model: 'jan-dev-embedding',
      apiKey,
      configuration: { baseURL: `${server.url}/v1` },
    })
    const [one, two] = await embeddings.embedDocuments(['one', 'two'])
    expect(one).toHaveLength(two?.length ?? 0)
    expect(await embeddings.embedQuery('one')).toEqual(one)
  })

  it('throws the typed errors of the OpenAI SDK below it', async () => {
    await expect(chat('no-such-model').invoke('Hello!')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      lc_error_code: 'MODEL_NOT_FOUND',
    })
    await expect(chat('jan-v1-4b', 'nonsense').invoke('Hello!')).rejects.toMatchObject({
      status: 401,
      lc_error_code: 'MODEL_AUTHENTICATION',
    })
  })

  it('throws when the provider fails in the middle of a stream', async () => {
    fake.script({ chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })], done: false })
    const texts: string[] = []
    const read = async () => {
      for await (const { text } of await chat('fake-model').stream('Hello!')) texts.push(text)
    }
    await expect(read()).rejects.toMatchObject({ code: 'provider_error' })
    expect(texts.join('')).toBe('half')
  })

  it('stops the provider when it is aborted', async () => {
    fake.script({ text: 'one two three', hang: 'mid-stream' })
    const arriving = fake.request()
    const leaving = new AbortController()
    const read = async () => {
      for await (const _ of await chat('fake-model').stream('Hello!', { signal: leaving.signal }))
        leaving.abort()
    }
    await expect(read()).rejects.toThrow(/abort/i)
    await (await arriving).left()
  })
})
