import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { RawBody } from '../../platform/openai/raw-body.ts'
import type { RawFrames } from '../../platform/openai/raw-frames.ts'
import { type FakeProvider, startFakeProvider } from '../../platform/testing/fake-provider.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let fake: FakeProvider
let test: TestGraph
beforeAll(async () => {
  fake = await startFakeProvider()
  test = await startTestGraph({
    VLLM_PROVIDER_URL: fake.url,
    PROVIDER_MAX_RETRIES: '0',
    PROMPT_ORCHESTRATION_ENABLED: 'true',
    PROMPT_ORCHESTRATION_MEMORY: 'true',
    PROMPT_ORCHESTRATION_TEMPLATES: 'true',
    PROMPT_ORCHESTRATION_TOOLS: 'true',
  })
})
afterAll(async () => {
  await test.stop()
  await fake.close()
})

const model = 'fake-model'
const said = (content: string) => ({ role: 'user', content })
const admin = someActor({ isAdmin: true, roles: ['admin'] })

async function run(text: string, variables: object, actor: Actor | null) {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  if (errors?.[0]) throw errors[0]
  return data as Record<string, { id: string; user: { id: string } }>
}

async function someUser(): Promise<Actor> {
  const { guestLogin } = await run('mutation { guestLogin { user { id } } }', {}, null)
  return someActor({ id: guestLogin?.user.id as string })
}

const set = (input: object, actor: Actor) =>
  run(
    'mutation ($input: UpdateUserSettingsInput!) { updateUserSettings(input: $input) { id } }',
    { input },
    actor,
  )

const completeChat = parse(
  'mutation ($request: RawBody!, $hints: JSON) { completeChat(request: $request, hints: $hints) }',
)

interface Completed {
  readonly modules: readonly string[]
  /** The text of the system message that the provider got first; null where there was none. */
  readonly system: string | null
  readonly messages: readonly { role: string; content: string }[]
  readonly conversation: string | null
}

async function complete(body: object, actor: Actor, hints: object | null = null): Promise<Completed> {
  const request = new RawBody(Buffer.from(JSON.stringify({ model, messages: [said('Hi')], ...body })))
  const context = test.contextFor(actor)
  const result: unknown = await context.graph.execute(completeChat, { request, hints }, context)
  const { completeChat: answer } = result as { completeChat: RawBody }
  const messages = fake.requests.at(-1)?.json?.messages as { role: string; content: string }[]
  return {
    modules: answer.notes?.promptModules ?? [],
    system: messages[0]?.role === 'system' ? messages[0].content : null,
    messages,
    conversation: JSON.parse(answer.bytes.toString()).conversation?.id ?? null,
  }
}

const tools = [
  { type: 'function', function: { name: 'look_up', description: 'Looks up a word.', parameters: {} } },
]

describe('an orchestrated prompt', () => {
  it('begins with who the assistant is and what day it is', async () => {
    const { system, modules, messages } = await complete({}, await someUser())
    expect(modules).toEqual(['timing'])
    expect(system).toMatch(new RegExp(`You are Jan.* ${new Date().getUTCFullYear()}\\.`))
    expect(messages).toHaveLength(2)
    expect(messages[1]).toEqual(said('Hi'))
  })

  it('leaves the request’s own messages as they are, its system message too', async () => {
    const own = [{ role: 'system', content: 'Be brief.' }, said('Hi')]
    const { messages } = await complete({ messages: own }, await someUser())
    expect(messages.slice(1)).toEqual(own)
  })

  it('has everything in the documented order, in one system message', async () => {
    const user = await someUser()
    await set({ profileSettings: { nickName: 'Ada', baseStyle: 'CONCISE' } }, user)
    const { createProject } = await run(
      'mutation { createProject(input: { name: "P", instruction: "Speak Latin." }) { id } }',
      {},
      user,
    )
    const { createConversation } = await run(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      {
        input: {
          projectId: createProject?.id,
          metadata: { memory_pet: 'Has a cat.', other: 'No memory.' },
        },
      },
      user,
    )
    const conversation = createConversation?.id as string
    const { system, modules } = await complete(
      { conversation, tools, messages: [said('Why does this code fail? Think step by step.')] },
      user,
      { persona: 'a pirate', memory: 'Likes tea; Lives in Oslo ;', acceptLanguage: 'en;q=0.3, nb;q=0.9' },
    )
    expect(modules).toEqual([
      'timing',
      'project_instruction',
      'user_profile',
      'memory',
      'tool_instructions',
      'code_assistant',
      'chain_of_thought',
    ])
    const places = [
      'You are Jan',
      'a pirate',
      'Norwegian Bokmål (nb)',
      'outranks user settings',
      'Speak Latin.',
      'concise:',
      'Name: Ada',
      '- Likes tea',
      '- Lives in Oslo',
      '- Has a cat.',
      '- look_up: Looks up a word.',
      'The request is about code.',
      'several steps of thought',
    ].map((text) => [text, system?.indexOf(text) ?? -1] as const)
    expect(places.filter(([, at]) => at === -1)).toEqual([])
    expect(places.toSorted(([, one], [, other]) => one - other)).toEqual(places)
    expect(system).not.toContain('No memory.')
  })

  it('keeps the modules off that the user has switched off, but never the project’s', async () => {
    const user = await someUser()
    await set({ preferences: { disable_modules: 'timing, Code_Assistant,project_instruction' } }, user)
    const { createProject } = await run(
      'mutation { createProject(input: { name: "P", instruction: "Speak Latin." }) { id } }',
      {},
      user,
    )
    const { createConversation } = await run(
      'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }',
      { input: { projectId: createProject?.id } },
      user,
    )
    const body = { conversation: createConversation?.id, messages: [said('Fix my code')] }
    expect((await complete(body, user)).modules).toEqual(['project_instruction'])
    await set({ preferences: { disable_modules: ['memory', 'timing'] } }, user)
    await test.services.notifications.caughtUp()
    expect((await complete({ messages: [said('Fix my code')] }, user)).modules).toEqual(['code_assistant'])
  })

  it('tells the last three turns where nothing else is remembered', async () => {
    const user = await someUser()
    let conversation: string | null = null
    for (const text of ['one', 'two', 'three', 'four']) {
      const body: object = { conversation: conversation ?? {}, messages: [said(text)] }
      conversation = (await complete(body, user)).conversation
    }
    const { system, modules } = await complete({ conversation, messages: [said('five')] }, user)
    expect(modules).toEqual(['timing', 'memory'])
    const told = [...(system ?? '').matchAll(/The user said: (\w+)/g)].map(([, text]) => text)
    expect(told).toEqual(['two', 'three', 'four'])
    await set({ memoryConfig: { enabled: false } }, user)
    await test.services.notifications.caughtUp()
    expect((await complete({ conversation, messages: [said('six')] }, user)).modules).toEqual(['timing'])
  })

  it('takes its texts from the model’s template, else from the active one of the key', async () => {
    const user = await someUser()
    await complete({}, user)
    const create = async (content: string) => {
      const { createPromptTemplate } = await run(
        'mutation ($input: CreatePromptTemplateInput!) { createPromptTemplate(input: $input) { id } }',
        {
          input: {
            name: 'T',
            category: 'system',
            templateKey: `t${fake.requests.length}_${content.length}`,
            content,
          },
        },
        admin,
      )
      return createPromptTemplate?.id as string
    }
    const templateId = await create('It is {{ .CurrentDate }}, {{Unknown}}.')
    await run(
      'mutation ($input: AssignPromptTemplateInput!) { assignPromptTemplate(input: $input) { isNew } }',
      { input: { modelId: model, templateKey: 'timing', templateId } },
      admin,
    )
    expect((await complete({}, user)).system).toMatch(/^It is \w+,? \d+ \w+ \d{4}, \{\{Unknown\}\}\.$/)
    await run(
      'mutation ($input: UpdatePromptTemplateInput!) { updatePromptTemplate(input: $input) { id } }',
      { input: { id: templateId, content: 'No place for a date.' } },
      admin,
    )
    const year = String(new Date().getUTCFullYear())
    expect((await complete({}, user)).system).toMatch(new RegExp(`^No place for a date\\.\\n\\n.*${year}$`))
    await run(
      'mutation ($m: ID!) { unassignPromptTemplate(modelId: $m, templateKey: "timing") { modelId } }',
      { m: model },
      admin,
    )
    expect((await complete({}, user)).system).toMatch(/^You are Jan/)
  })

  it('does not read variables in what a user has set', async () => {
    const user = await someUser()
    await set({ profileSettings: { moreAboutYou: 'I write {{Profile}} and {{CurrentDate}}.' } }, user)
    expect((await complete({}, user)).system).toContain('I write {{Profile}} and {{CurrentDate}}.')
  })

  it('is made without settings for somebody whom accounts does not know', async () => {
    const { modules } = await complete({}, someActor(), {
      persona: null,
      memory: 'A line',
      acceptLanguage: '',
    })
    expect(modules).toEqual(['timing', 'memory'])
  })
})

describe('the modules of an answer', () => {
  it('come with the first frames of a stream, and no others', async () => {
    const context = test.contextFor(await someUser())
    const request = new RawBody(
      Buffer.from(JSON.stringify({ model, stream: true, messages: [said('Some code')] })),
    )
    const streamChat = parse('subscription ($request: RawBody!) { streamChat(request: $request) }')
    const events: unknown = await context.graph.subscribe(streamChat, { request }, context)
    const seen: unknown[] = []
    for await (const { streamChat } of events as AsyncIterable<{ streamChat: RawFrames }>)
      seen.push(streamChat.notes?.promptModules ?? null)
    expect(seen[0]).toEqual(['timing', 'code_assistant'])
    expect(seen.slice(1).filter((notes) => notes !== null)).toEqual([])
  })

  it('are told to clients of the graph, who can say what goes into a prompt', async () => {
    const { createChatCompletion } = await run(
      'mutation ($input: ChatCompletionInput!) { createChatCompletion(input: $input) { promptModules } }',
      {
        input: {
          model,
          messages: [{ role: 'USER', content: 'Hi' }],
          prompt: { persona: 'a judge', memory: ['Line'], language: 'de' },
        },
      },
      await someUser(),
    )
    expect(createChatCompletion).toEqual({ promptModules: ['timing', 'memory'] })
    const [first] = (fake.requests.at(-1)?.json?.messages ?? []) as { content: string }[]
    expect(first?.content).toMatch(/a judge[\s\S]*German \(de\)[\s\S]*- Line/)
    expect(fake.requests.at(-1)?.json).not.toHaveProperty('prompt')
  })
})

describe('a stateless orchestrated completion', () => {
  it('costs no SQL once the user’s settings are known', async () => {
    const user = await someUser()
    await complete({}, user)
    await sleep(600)
    test.takeStatements()
    await complete({}, user)
    expect(test.takeStatements()).toEqual([])
  })
})
