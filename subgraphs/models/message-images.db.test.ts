import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { callerOf, failure, readFrames } from './testing/caller.ts'

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

async function ask<T>(text: string, variables: object, actor: Actor): Promise<T> {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as T
}
async function stored(actor: Actor, bytes: Buffer): Promise<string> {
  const text = 'mutation ($input: CreateMediaInput!) { createMedia(input: $input) { media { id } } }'
  const input = { dataUrl: dataUrlOf(bytes) }
  return (await ask<{ createMedia: { media: { id: string } } }>(text, { input }, actor)).createMedia.media.id
}
const looking = (...urls: string[]) => ({
  role: 'user',
  content: [
    { type: 'text', text: 'What is it?' },
    ...urls.map((url) => ({ type: 'image_url', image_url: { url, detail: 'low' } })),
  ],
})
interface Sent {
  readonly content: string | { readonly type: string; readonly image_url?: { readonly url: string } }[]
}
const sent = () => (fake.requests.at(-1)?.json?.messages ?? []) as Sent[]
const urlsIn = (message: Sent | undefined) =>
  Array.isArray(message?.content) ? message.content.flatMap(({ image_url }) => image_url?.url ?? []) : []
const complete = async (actor: Actor, body: object) =>
  JSON.parse(await callerOf(test, actor).complete({ model: 'fake-model', ...body })) as {
    conversation: { id: string }
  }

describe('an image of a message', () => {
  it('reaches the provider as bytes, whichever way its id is spelt, beside images of its own', async () => {
    const actor = someActor()
    const bytes = await testImage('webp')
    const id = await stored(actor, bytes)
    const own = dataUrlOf(await testImage())
    const spelt = [id, `data:image/png;${id}`, `data:image/webp;base64,${id}`]
    await complete(actor, { messages: [looking(...spelt, own)], seed: 7 })
    const inline = dataUrlOf(bytes, 'image/webp')
    expect(urlsIn(sent().at(-1))).toEqual([inline, inline, inline, own])
    expect(sent().at(-1)?.content[1]).toEqual({
      type: 'image_url',
      image_url: { url: inline, detail: 'low' },
    })
    expect(fake.requests.at(-1)?.json).toMatchObject({ seed: 7 })
  })

  it('is stored as its id, and shown again in the next turn', async () => {
    const actor = someActor()
    const bytes = await testImage()
    const id = await stored(actor, bytes)
    const { conversation } = await complete(actor, { messages: [looking(id)], conversation: {} })
    const items =
      'query ($id: ID!) { conversation(id: $id) { items(first: 5, order: ASC) { nodes { content media { id mimeType } } } } }'
    const read = await ask<{ conversation: { items: { nodes: object[] } } }>(
      items,
      { id: conversation.id },
      actor,
    )
    expect(read.conversation.items.nodes).toMatchObject([
      { media: [{ id, mimeType: 'image/png' }] },
      { media: [] },
    ])
    const kept = JSON.stringify(read)
    expect(kept).not.toContain('base64')
    const events = await callerOf(test, actor).stream({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'And now?' }],
      conversation: conversation.id,
    })
    await readFrames(events)
    expect(urlsIn(sent()[0])).toEqual([dataUrlOf(bytes)])
  })

  it('is refused with others that are too much together, and left out where only history names it', async () => {
    const actor = someActor()
    const dot = await testImage()
    const large = (fill: number) =>
      stored(actor, Buffer.concat([dot.subarray(0, 33), Buffer.alloc(16_000_000, fill), dot.subarray(33)]))
    const [first, second] = [await large(1), await large(2)]
    const before = fake.requests.length
    const messages = [{ role: 'user', content: 'Look.' }, looking(first, second, first)]
    expect(await failure(complete(actor, { messages }))).toMatchObject({
      code: 'input_too_large',
      param: expect.stringMatching(/^messages\[1\]\.content\[[12]\]\.image_url\.url$/),
    })
    expect(fake.requests).toHaveLength(before)
    const { conversation } = await complete(actor, { messages: [looking(first)], conversation: {} })
    await complete(actor, { messages: [looking(second)], conversation: conversation.id })
    expect(sent().flatMap(urlsIn)).toHaveLength(2)
    const third = await large(3)
    await complete(actor, { messages: [looking(third)], conversation: conversation.id })
    expect(urlsIn(sent().at(-1))).toHaveLength(1)
    expect(sent().flatMap(urlsIn)).toHaveLength(2)
    expect(JSON.stringify(sent()[0])).toContain('left out')
  })

  it('that is no longer there is told as such where history names it', async () => {
    const actor = someActor()
    const id = await stored(actor, await testImage())
    const { conversation } = await complete(actor, { messages: [looking(id)], conversation: {} })
    await ask('mutation ($ids: [ID!]!) { deleteMedia(ids: $ids) { ids } }', { ids: [id] }, actor)
    const messages = [{ role: 'user', content: 'Still?' }]
    await complete(actor, { messages, conversation: conversation.id })
    expect(JSON.stringify(sent()[0])).toContain('no longer there')
    expect(JSON.stringify(sent())).not.toContain(id)
    const items =
      'query ($id: ID!) { conversation(id: $id) { items(first: 1, order: ASC) { nodes { media { bytes } } } } }'
    const read = await ask(items, { id: conversation.id }, actor)
    expect(read).toEqual({ conversation: { items: { nodes: [{ media: [null] }] } } })
  })

  it.each([
    ['nobody’s', async () => 'jan_00000000000000000000000000'],
    ['another’s', async () => stored(someActor(), await testImage())],
  ])('that is %s is refused, naming its place, and no provider is asked', async (_whose, other) => {
    const actor = someActor()
    const mine = await stored(actor, await testImage())
    const before = fake.requests.length
    const messages = [{ role: 'user', content: 'Look.' }, looking(mine, await other())]
    const refused = await failure(complete(actor, { messages, conversation: {} }))
    expect(refused).toMatchObject({
      code: 'invalid_media_reference',
      param: 'messages[1].content[2].image_url.url',
    })
    expect(fake.requests).toHaveLength(before)
  })
})
