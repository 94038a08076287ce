import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, eventually, failure, readFrames } from './testing/caller.ts'

let small: FakeProvider
let large: FakeProvider
let test: TestGraph
let actor: Actor
beforeAll(async () => {
  small = await startFakeProvider({
    models: [
      { id: 'small', context_length: 300 },
      { id: 'failing', context_length: 300 },
      { id: 'gpt-4o-small', context_length: 1_000 },
      'unknown',
      'untold',
    ],
  })
  large = await startFakeProvider({ models: [{ id: 'large', context_length: 100_000 }] })
  test = await startTestGraph({
    VLLM_PROVIDER_URL: small.url,
    REMOTE_LLM_PROVIDER_URL: large.url,
    MODEL_FALLBACKS: 'failing=large',
    PROVIDER_MAX_RETRIES: '0',
  })
  actor = someActor()
})
afterAll(async () => {
  await test.stop()
  await Promise.all([small.close(), large.close()])
})
beforeEach(() => small.unscript())

const said = (content: string) => ({ role: 'user', content })
const answered = (content: string) => ({ role: 'assistant', content })
const complete = async (body: object) =>
  JSON.parse(await callerOf(test, actor).complete({ model: 'small', max_tokens: 50, ...body }))
const sentTo = (provider: FakeProvider) => provider.requests.at(-1)?.json?.messages

/** Four bytes are a token as long as nobody has counted otherwise: 100 tokens, and 4 for the message. */
const hundred = (letter: string) => letter.repeat(400)
const history = [said(hundred('1')), answered(hundred('2')), said(hundred('3')), answered(hundred('4'))]
const newest = [said(hundred('3')), answered(hundred('4'))]

describe('a prompt that is longer than the model takes', () => {
  it('loses its oldest messages, and the answer says so', async () => {
    const answer = await complete({ messages: [{ role: 'system', content: 's' }, ...history, said('5')] })
    expect(answer.trimmed).toBe(true)
    expect(sentTo(small)).toEqual([{ role: 'system', content: 's' }, ...newest, said('5')])
  })

  it('says so in the last chunk of a stream, and in no other', async () => {
    const events = await callerOf(test, actor).stream({
      model: 'small',
      max_tokens: 50,
      messages: [...history, said('5')],
    })
    const frames = await readFrames(events)
    expect(sentTo(small)).toEqual([...newest, said('5')])
    expect(frames.at(-1)).toMatchObject({ choices: [], trimmed: true, model: 'small' })
    expect(frames.slice(0, -1).filter((frame) => 'trimmed' in frame)).toEqual([])
  })

  it('loses the oldest of what is stored, not the instruction of the project; what is stored stays whole', async () => {
    const ask = async (text: string, variables: Record<string, unknown>) => {
      const context = test.contextFor(actor)
      const { data } = await test.graph.clients.execute({ document: parse(text), variables, context })
      return data as Record<string, { id: string; items?: { nodes: unknown[] } }>
    }
    const { createProject } = await ask(
      'mutation { createProject(input: { name: "P", instruction: "Speak Latin." }) { id } }',
      {},
    )
    const { createConversation } = await ask(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      {
        input: {
          projectId: createProject?.id,
          items: history,
        },
      },
    )
    const conversation = createConversation?.id
    expect(await complete({ messages: [said('5')], conversation })).toMatchObject({ trimmed: true })
    expect(sentTo(small)).toEqual([
      { role: 'system', content: expect.stringContaining('Speak Latin.') },
      said(hundred('3')),
      answered(hundred('4')),
      said('5'),
    ])
    const { conversation: stored } = await ask(
      'query ($id: ID!) { conversation(id: $id) { items { nodes { id } } } }',
      { id: conversation },
    )
    expect(stored?.items?.nodes).toHaveLength(6)
  })

  it('is whole again for a model in its place that takes more', async () => {
    small.script({ status: 500 })
    const answer = await complete({ model: 'failing', messages: [...history, said('5')] })
    expect(answer.trimmed).toBeUndefined()
    expect(sentTo(small)).toEqual([...newest, said('5')])
    expect(sentTo(large)).toEqual([...history, said('5')])
  })

  it('is counted exactly where the encoding of the model is known', async () => {
    // a token of four letters each, where the estimate would say two
    const words = (count: number) => ' token'.repeat(count)
    const messages = [said(words(400)), answered('ok'), said(words(500))]
    const limited = { model: 'gpt-4o-small', messages }
    // until the tables are loaded, which may take longer than a request waits, the estimate answers
    const whole = () => complete({ ...limited, max_tokens: 50 })
    expect((await eventually(whole, ({ trimmed }) => trimmed === undefined)).trimmed).toBeUndefined()
    expect((await complete({ ...limited, max_tokens: 150 })).trimmed).toBe(true)
    expect(sentTo(small)).toEqual([said(words(500))])
  })

  it('is told to GraphQL clients too', async () => {
    const query = `mutation ($messages: [ChatMessageInput!]!) {
      createChatCompletion(input: { model: "small", maxTokens: 50, messages: $messages }) { trimmed }
    }`
    const messages = [...history, said('5')].map(({ role, content }) => ({
      role: role.toUpperCase(),
      content,
    }))
    const run = async (messages: object[]) => {
      const context = test.contextFor(actor)
      const { data, errors } = await test.graph.clients.execute({
        document: parse(query),
        variables: { messages },
        context,
      })
      return data?.createChatCompletion ?? errors
    }
    expect(await run(messages)).toEqual({ trimmed: true })
    expect(await run(messages.slice(-1))).toEqual({ trimmed: false })
  })
})

describe('parts that are longer than they may be', () => {
  it('are shortened, whatever the model takes', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'read', arguments: '{}' } }
    const messages = [
      said('read it'),
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'é'.repeat(60_000) },
    ]
    const answer = await complete({ model: 'unknown', messages })
    expect(answer.trimmed).toBe(true)
    const [, , result] = sentTo(small) as { content: string }[]
    expect(result?.content).toMatch(/^é+\n\[shortened\]$/)
    expect(Buffer.byteLength(result?.content ?? '')).toBeLessThanOrEqual(80_000)
  })

  it('keep the rest of the body: fields that nobody knows, and large numbers', async () => {
    const body = `{"model":"small","odd":12345678901234567890,"other":1.0,"max_tokens":50,"messages":${JSON.stringify([...history, said('5')])}}`
    await callerOf(test, actor).complete(body)
    const sent = small.requests.at(-1)?.body.toString()
    expect(sent).toContain('"odd":12345678901234567890')
    expect(sent).toContain('"other":1.0')
  })
})

describe('what fits', () => {
  it('goes to the provider in the bytes that came', async () => {
    const messages = '[ {"role":"user" , "content":"h\\u0065llo", "odd":12345678901234567890} ]'
    const answer = JSON.parse(
      await callerOf(test, actor).complete(`{"model":"small","max_tokens":50,"messages":${messages}}`),
    )
    expect(answer).not.toHaveProperty('trimmed')
    expect(small.requests.at(-1)?.body.toString()).toContain(messages)
  })
})

describe('what the user said last', () => {
  it('is refused beyond 24,000 tokens: the provider is not asked, and the message is named', async () => {
    const calls = small.requests.length
    const error = await failure(
      complete({ model: 'untold', messages: [said('before'), answered('ok'), said('x'.repeat(96_004))] }),
    )
    expect(error).toMatchObject({ code: 'input_too_large', param: 'messages[2].content' })
    expect(small.requests).toHaveLength(calls)
    await complete({ model: 'untold', messages: [said('x'.repeat(96_000))] })
    expect(sentTo(small)).toEqual([said('x'.repeat(96_000))])
  })

  it('is counted exactly where the encoding of the model is known', async () => {
    const words = ' token'.repeat(23_990)
    expect((await complete({ model: 'gpt-4o-small', messages: [said(words)] })).choices).toHaveLength(1)
    const error = await failure(
      complete({ model: 'gpt-4o-small', messages: [said(`${words}${' token'.repeat(20)}`)] }),
    )
    expect(error.code).toBe('input_too_large')
  })
})

describe('the tokens of a model that nobody can count', () => {
  it('are estimated by what its provider has counted', async () => {
    const model = 'large'
    const messages = [said('y'.repeat(300_000)), said('z'.repeat(90_000))]
    expect((await complete({ model, messages: messages.slice(1) })).trimmed).toBeUndefined()
    const body = (prompt_tokens: number) => ({
      id: 'x',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      usage: { prompt_tokens, completion_tokens: 1, total_tokens: prompt_tokens + 1 },
    })
    for (let answers = 0; answers < 20; answers += 1) {
      large.script({ body: body(5_000) })
      await complete({ model, messages: [said('w'.repeat(10_000))] })
    }
    // at half a token a byte they no longer fit
    expect(await failure(complete({ model, messages: messages.slice(1) }))).toMatchObject({
      code: 'input_too_large',
    })
  })
})
