import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import OpenAI from 'openai'
import { chatChunk, type FakeProvider, startFakeProvider } from '../platform/testing/fake-provider.ts'
import { guest, type TestClient } from './client.ts'
import { openAiSpecification, specificationIsHere, type Violations } from './openai-specification.ts'
import { startTestServer, type TestServer } from './server.ts'

// What the types of the `openai` package say is checked by the compiler: openai-types.ts.
const title = 'answers, held against the OpenAPI document of OpenAI'
const describeWhereItIsHere = specificationIsHere ? describe : describe.skip

describeWhereItIsHere(
  specificationIsHere ? title : `${title} (skipped: it does not lie beside the project)`,
  () => {
    let fake: FakeProvider
    let server: TestServer
    let client: TestClient
    let violations: Violations
    beforeAll(async () => {
      violations = openAiSpecification()
      fake = await startFakeProvider()
      server = await startTestServer({ VLLM_PROVIDER_URL: fake.url, MODEL_ALIASES: 'jan-v1-4b=jan-dev' })
      client = await guest(server)
    }, 60_000)
    afterAll(async () => {
      await server?.stop()
      await fake?.close()
    })

    const messages = [{ role: 'user', content: 'Call get_weather for Hanoi.' }]
    const tools = [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      },
    ]
    const chat = (fields: object) =>
      client.post('/v1/chat/completions', { model: 'jan-v1-4b', messages, ...fields })

    /** The payloads of a stream, `[DONE]` left out. */
    async function frames(fields: object): Promise<unknown[]> {
      const { text } = await chat({ ...fields, stream: true })
      const data = text.split('\n\n').filter((frame) => frame.startsWith('data: '))
      return data
        .filter((frame) => frame !== 'data: [DONE]')
        .map((frame) => JSON.parse(frame.slice('data: '.length)))
    }

    /** A completion, and which parts of one can differ. */
    const requests: [string, object][] = [
      ['words', {}],
      ['tool calls', { tools }],
      ['JSON', { response_format: { type: 'json_object' } }],
      ['several choices', { n: 2 }],
      ['reasoning', { reasoning_effort: 'high' }],
      ['a cut', { max_tokens: 2 }],
      ['a conversation', { conversation: {} }],
    ]

    it.each(requests)('a completion of %s', async (_, fields) => {
      const { status, json } = await chat(fields)
      expect(status).toBe(200)
      expect(violations('CreateChatCompletionResponse', json())).toEqual([])
    })

    it.each(requests)('every chunk of %s', async (_, fields) => {
      const chunks = await frames({ ...fields, stream_options: { include_usage: true } })
      expect(chunks.length).toBeGreaterThan(2)
      expect(chunks.flatMap((chunk) => violations('CreateChatCompletionStreamResponse', chunk))).toEqual([])
      expect(chunks.some((chunk) => (chunk as { usage?: unknown }).usage)).toBe(true)
    })

    it('a list of models, and one of them', async () => {
      expect(violations('ListModelsResponse', (await client.get('/v1/models')).json())).toEqual([])
      expect(violations('Model', (await client.get('/v1/models/jan-v1-4b')).json())).toEqual([])
    })

    it('embeddings, as floats and as base64', async () => {
      const embed = async (encoding: string) => {
        const body = { model: 'jan-dev-embedding', input: ['one', 'two'], encoding_format: encoding }
        return (await client.post('/v1/embeddings', body)).json<{ data: { embedding: unknown }[] }>()
      }
      expect(violations('CreateEmbeddingResponse', await embed('float'))).toEqual([])
      // The document knows vectors as numbers only: it is they that the text is an encoding of.
      const encoded = await embed('base64')
      const data = encoded.data.map((entry) => ({ ...entry, embedding: decoded(String(entry.embedding)) }))
      expect(violations('CreateEmbeddingResponse', { ...encoded, data })).toEqual([])
    })

    it.each([
      ['a bad request', () => chat({ temperature: 3 }), 400],
      ['no credential', async () => answerOf(`${server.url}/v1/models`), 401],
      ['a missing model', () => client.get('/v1/models/nobody/has-this'), 404],
      ['a missing route', () => client.get('/v1/nothing'), 404],
      ['another method', () => client.patch('/v1/models', {}), 405],
    ] as const)('the error for %s', async (_, ask, expected) => {
      const { status, json } = await ask()
      expect(status).toBe(expected)
      expect(violations('ErrorResponse', json())).toEqual([])
    })

    const items = [
      { role: 'user', content: 'Hello' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
          { type: 'input_image', file_id: 'file_1' },
          { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,YQ==' },
        ],
      },
      { role: 'assistant', content: 'Seen' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
      { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'seen' },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Because' }] },
      { type: 'file_search_call', queries: ['a'] },
      { type: 'mcp_call', server_label: 's', name: 'look', arguments: '{}', output: 'seen' },
      { type: 'custom_tool_call', call_id: 'call_2', name: 'custom', input: 'x' },
      { type: 'tool_search_call', call_id: 'call_3', execution: 'server', arguments: { q: 'x' } },
      { type: 'compaction', encrypted_content: 'abc' },
      { type: 'program', call_id: 'call_4', code: 'x', fingerprint: 'y' },
    ]

    it('a conversation, its items, and what is left of it', async () => {
      const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: client.token })
      const { conversations } = openai
      const created = await conversations.create({ metadata: { topic: 'demo' }, items: items as never })
      expect(violations('ConversationResource', created)).toEqual([])
      const added = await conversations.items.create(created.id, { items: items.slice(0, 3) as never })
      expect(violations('ConversationItemList', added)).toEqual([])
      const { data: listed } = await conversations.items.list(created.id, {
        order: 'asc',
        include: ['message.output_text.logprobs'],
      })
      expect(listed.map(({ type }) => type)).toEqual([
        ...items.map(({ type }) => type ?? 'message'),
        'message',
        'message',
        'message',
      ])
      const faults = listed.map((item) => [item.type, violations('ConversationItem', item)])
      expect(faults.filter(([, found]) => found?.length)).toEqual([])
      const first = listed[0] as { id: string }
      const read = await conversations.items.retrieve(first.id, { conversation_id: created.id })
      expect(violations('ConversationItem', read)).toEqual([])
      const looked = listed[1] as { content: object[] }
      expect(looked.content[1]).toMatchObject({
        image_url: 'https://example.com/a.png',
        file_id: null,
        detail: 'low',
        image: { url: 'https://example.com/a.png', detail: 'low' },
      })
      const left = await conversations.items.delete(first.id, { conversation_id: created.id })
      expect(left).toMatchObject({ metadata: { topic: 'demo' }, created_at: created.created_at })
      expect(left).toMatchObject({ conversation: { id: created.id, item_count: items.length + 2 } })
      const updated = await conversations.update(created.id, { metadata: { topic: 'other' } })
      expect(violations('ConversationResource', updated)).toEqual([])
      expect(await conversations.retrieve(created.id)).toMatchObject({ metadata: { topic: 'other' } })
      expect(violations('DeletedConversationResource', await conversations.delete(created.id))).toEqual([])
    })

    it('the error in the middle of a stream', async () => {
      fake.script({ chunks: [chatChunk({ role: 'assistant' }), chatChunk({ content: 'half' })], done: false })
      const all = await frames({ model: 'fake-model' })
      expect(violations('ErrorResponse', all.pop())).toEqual([])
      expect(all.flatMap((chunk) => violations('CreateChatCompletionStreamResponse', chunk))).toEqual([])
    })

    it('the error for a provider that fails', async () => {
      // However often it is tried again.
      fake.script(...Array.from({ length: 10 }, () => ({ status: 500 })))
      const { status, json } = await chat({ model: 'fake-model' })
      expect(status).toBe(502)
      expect(violations('ErrorResponse', json())).toEqual([])
    })

    it('and what is broken is found', async () => {
      const body = (await chat({})).json<{ choices: object[] }>()
      const broken = {
        ...body,
        created: 'yesterday',
        choices: [{ ...body.choices[0], finish_reason: 'bored' }],
      }
      expect(violations('CreateChatCompletionResponse', broken)).toEqual([
        expect.stringContaining('/choices/0/finish_reason'),
        expect.stringContaining('/created'),
      ])
      expect(violations('ErrorResponse', { error: { message: 'no more than that' } })).not.toEqual([])
    })
  },
)

/** Little-endian floats of four bytes. */
function decoded(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4))
}

async function answerOf(url: string) {
  const response = await fetch(url)
  const body: unknown = await response.json()
  return { status: response.status, json: () => body }
}
