import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { chatChunk, type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, readFrames } from './testing/caller.ts'

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider()
  test = await startTestGraph({ VLLM_PROVIDER_URL: fake.url })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

interface Part {
  readonly id?: string
  readonly image_url: { readonly url: string; readonly detail?: string }
}
interface Answer {
  readonly conversation: { readonly id: string }
  readonly choices: { readonly message: { readonly content: unknown; readonly images?: Part[] } }[]
}

const asked = { model: 'fake-model', messages: [{ role: 'user', content: 'Draw a kite' }], conversation: {} }
const part = (url: string) => ({ type: 'image_url', image_url: { url, detail: 'high' } })
const complete = async (actor: Actor, body: object = asked) =>
  JSON.parse(await callerOf(test, actor).complete(body)) as Answer
const saying = (message: object) => ({
  body: {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'fake-model',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
})
async function ask<T>(text: string, variables: object, actor: Actor): Promise<T> {
  const context = test.contextFor(actor)
  return (await context.graph.execute(parse(text), variables, context)) as T
}
async function answerItem(id: string, actor: Actor) {
  const text =
    'query ($id: ID!) { conversation(id: $id) { items(first: 5, order: ASC) { nodes { text content media { id mimeType } } } } }'
  const read = await ask<{ conversation: { items: { nodes: object[] } } }>(text, { id }, actor)
  return read.conversation.items.nodes[1]
}
const hashOf = async (id: string | undefined, actor: Actor) => {
  const { media } = await ask<{ media: { sha256: string } }>(
    'query ($id: ID!) { media(id: $id) { sha256 } }',
    { id },
    actor,
  )
  return media.sha256
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('an image that a model answers with', () => {
  it('is kept, told as a link with its id, and stored as its id', async () => {
    const actor = someActor()
    const bytes = await testImage()
    fake.script(saying({ content: 'Here it is.', images: [part(dataUrlOf(bytes))] }))
    const answer = await complete(actor)
    const [image] = answer.choices[0]?.message.images ?? []
    expect(image).toMatchObject({ type: 'image_url', id: expect.stringMatching(/^jan_/) })
    expect(image?.image_url).toEqual({ url: expect.stringMatching(/^http.*\/v1\/files\//), detail: 'high' })
    const id = image?.id ?? ''
    expect(await hashOf(id, actor)).toBe(sha256(bytes))
    expect(await answerItem(answer.conversation.id, actor)).toMatchObject({
      text: 'Here it is.',
      content: [{ type: 'output_text' }, { type: 'image', image: { url: id, file_id: id } }],
      media: [{ id, mimeType: 'image/png' }],
    })
    await complete(actor, {
      ...asked,
      conversation: answer.conversation.id,
      messages: [{ role: 'user', content: 'And now?' }],
    })
    const told = fake.requests.at(-1)?.json?.messages
    expect(told).toMatchObject([{ role: 'user' }, { role: 'assistant' }, { role: 'user' }])
    expect(JSON.stringify(told)).not.toContain('image_url')
    expect(JSON.stringify(told)).toContain('An image was made')
  })

  it('is kept where it is a part of the content, too', async () => {
    const actor = someActor()
    fake.script(saying({ content: [{ type: 'text', text: 'Look:' }, part(dataUrlOf(await testImage()))] }))
    const answer = await complete(actor)
    const [, image] = (answer.choices[0]?.message.content ?? []) as Part[]
    expect(image?.id).toMatch(/^jan_/)
    expect(await answerItem(answer.conversation.id, actor)).toMatchObject({
      text: 'Look:',
      media: [{ id: image?.id }],
    })
  })

  it('is kept in a stream, in its place', async () => {
    const actor = someActor()
    const bytes = await testImage('webp')
    const frame = { choices: [{ index: 0, delta: { images: [part(dataUrlOf(bytes, 'image/webp'))] } }] }
    fake.script({
      chunks: [
        chatChunk({ content: 'Here ' }),
        { ...chatChunk({}), ...frame },
        chatChunk({ content: 'it is.' }),
      ],
    })
    const frames = await readFrames(await callerOf(test, actor).stream(asked))
    const deltas = frames.flatMap(
      ({ choices }) => (choices as { delta: { content?: string; images?: Part[] } }[]) ?? [],
    )
    expect(deltas.map(({ delta }) => delta.content ?? delta.images?.length)).toEqual(['Here ', 1, 'it is.'])
    const image = deltas[1]?.delta.images?.[0]
    expect(image?.image_url.url).toMatch(/^http/)
    expect(await hashOf(image?.id, actor)).toBe(sha256(bytes))
    const { id } = (frames.at(-1)?.conversation ?? {}) as { id: string }
    expect(await answerItem(id, actor)).toMatchObject({ text: 'Here it is.', media: [{ id: image?.id }] })
  })

  it('is a media in the graph, with the text beside it', async () => {
    const actor = someActor()
    fake.script(saying({ content: [{ type: 'text', text: 'Look.' }, part(dataUrlOf(await testImage()))] }))
    const text =
      'mutation ($input: ChatCompletionInput!) { createChatCompletion(input: $input) { content choices { message { media { id mimeType width } } } } }'
    const input = { model: 'fake-model', messages: [{ role: 'USER', content: 'Draw' }] }
    expect(await ask(text, { input }, actor)).toMatchObject({
      createChatCompletion: {
        content: 'Look.',
        choices: [
          { message: { media: [{ id: expect.stringMatching(/^jan_/), mimeType: 'image/png', width: 8 }] } },
        ],
      },
    })
  })

  it.each([
    ['that is none', dataUrlOf(Buffer.from('hello'))],
    ['of the private network', 'http://169.254.169.254/latest/meta-data'],
  ])('%s stays as it came, and is not stored', async (_what, url) => {
    const actor = someActor()
    fake.script(saying({ content: 'Here.', images: [part(url)] }))
    const answer = await complete(actor)
    expect(answer.choices[0]?.message.images).toEqual([part(url)])
    expect(await answerItem(answer.conversation.id, actor)).toMatchObject({ text: 'Here.', media: [] })
  })

  it('of a provider that names a media itself is nobody’s', async () => {
    const actor = someActor()
    const claimed = { ...part('http://169.254.169.254/'), id: 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z' }
    fake.script(saying({ content: 'Here.', images: [claimed, { type: 'image_url', id: claimed.id }] }))
    const answer = await complete(actor)
    expect(JSON.stringify(answer)).not.toContain(claimed.id)
    expect(await answerItem(answer.conversation.id, actor)).toMatchObject({ text: 'Here.', media: [] })
  })

  it.each([
    ['null among the choices', [null, { index: 0, delta: { images: null } }]],
    ['null for a list', [{ index: 0, delta: { content: '', images: null } }]],
    [
      'null in the list',
      [{ index: 0, delta: { content: '', images: [null, 'x', [], { image_url: null }] } }],
    ],
    ['no object', [{ index: 0, delta: ['images'] }, 7]],
  ])('is told as it came where there is %s', async (_what, choices) => {
    const odd = { ...chatChunk({}), choices, note: { images: [], image_url: [] } }
    fake.script({ chunks: [chatChunk({ content: 'Here ' }), odd, chatChunk({ content: 'it is.' })] })
    const frames = await readFrames(await callerOf(test, someActor()).stream(asked))
    expect(frames[1]?.choices).toEqual(choices)
    expect(frames[2]?.choices).toMatchObject([{ delta: { content: 'it is.' } }])
  })

  it('is kept up to a number that nobody has a use for', async () => {
    const bytes = dataUrlOf(await testImage())
    fake.script(saying({ content: 'Many.', images: Array.from({ length: 40 }, () => part(bytes)) }))
    const answer = await complete(someActor())
    const images = answer.choices[0]?.message.images ?? []
    expect(images.map(({ id }) => id !== undefined)).toEqual(Array.from({ length: 40 }, (_, at) => at < 32))
  })

  it('is not looked for in what is only text', async () => {
    const text = '{"images": [{"image_url": {"url": "data:image/png;base64,AAAA"}}]}'
    fake.script(saying({ content: text }))
    const answer = await complete(someActor())
    expect(answer.choices[0]?.message.content).toBe(text)
  })
})
