import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from '@jest/globals'
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  getNamedType,
  isInputObjectType,
} from 'graphql'
import { dataUrlOf, testImage } from '../platform/testing/test-image.ts'
import { type Answer, guest, send, type TestClient } from './client.ts'
import { everyFeature, type SharedServer, sharedTestServer } from './shared-server.ts'

/** The ids of somebody's objects, by what they name. */
interface Ids {
  readonly conversation: string
  readonly item: string
  readonly project: string
  readonly apiKey: string
  readonly share: string
  /** A name, which is no secret, but says nothing where the conversation is not one's own. */
  readonly branch: string
  /** The same for a call. */
  readonly call: string
  readonly memory: string
  readonly media: string
}

/** Ids as ours look, of things that are not there. */
const missing: Ids = {
  conversation: 'conv_0000000000000000',
  item: 'msg_000000000000000000000000',
  project: 'proj_0000000000000000',
  apiKey: '00000000-0000-4000-8000-000000000000',
  share: 'share_0000000000000000',
  branch: 'no-such-branch',
  call: 'no-such-call',
  memory: 'mem_0000000000000000',
  media: 'jan_00000000000000000000000000',
}

let server: SharedServer
let owner: TestClient
let stranger: TestClient
let strangersConversation: string
let model: string
let owned: Ids
let before: string
beforeAll(async () => {
  server = await sharedTestServer(everyFeature)
  owner = await guest(server)
  stranger = await guest(server)
  owned = await ownObjects(owner)
  strangersConversation = (await stranger.post('/v1/conversations', {})).json<{ id: string }>().id
  model = (await owner.get('/v1/models')).json<{ data: { id: string }[] }>().data[0]?.id as string
  before = await everythingOf(owner, owned)
}, 60_000)

async function ownObjects(client: TestClient): Promise<Ids> {
  const idOf = (answer: Answer) => answer.json<{ id: string }>().id
  const project = idOf(await client.post('/v1/projects', { name: 'Private', instruction: 'Secret words.' }))
  const conversation = idOf(
    await client.post('/v1/conversations', { title: 'Private', project_id: project, metadata: { k: 'v' } }),
  )
  const items = await client.post(`/v1/conversations/${conversation}/items`, {
    items: [
      { type: 'message', role: 'user', content: 'Secret words.' },
      { type: 'message', role: 'assistant', content: 'Secret words.' },
      { type: 'mcp_call', status: 'in_progress', call_id: 'secret-call', name: 'look', arguments: '{}' },
    ],
  })
  const item = items.json<{ data: { id: string }[] }>().data[1]?.id as string
  const apiKey = idOf(await client.post('/auth/api-keys', { name: 'Private' }))
  const share = idOf(await client.post(`/v1/conversations/${conversation}/share`, {}))
  const branch = 'secret-branch'
  await client.post(`/v1/conversations/${conversation}/branches`, { name: branch })
  const remember =
    'mutation ($input: UpsertProjectMemoriesInput!) { upsertProjectMemories(input: $input) { id } }'
  const facts = [{ kind: 'DECISION', title: 'Private', text: 'Secret words.' }]
  const remembered = await client.graphql<{ upsertProjectMemories: { id: string }[] }>(remember, {
    input: { projectId: project, facts },
  })
  const memory = remembered.data.upsertProjectMemories[0]?.id as string
  const media = idOf(
    await client.post('/v1/media', { source: { type: 'data_url', data_url: dataUrlOf(await testImage()) } }),
  )
  return { conversation, item, project, apiKey, share, branch, call: 'secret-call', memory, media }
}

/** All that an owner can see: what it must still be after strangers have tried everything. */
async function everythingOf(client: TestClient, ids: Ids): Promise<string> {
  const paths = [
    '/v1/projects',
    '/v1/conversations',
    `/v1/conversations/${ids.conversation}`,
    `/v1/conversations/${ids.conversation}/items`,
    `/v1/conversations/${ids.conversation}/branches`,
    '/auth/api-keys',
    '/v1/shares',
    '/v1/memory/export',
    `/v1/media/${ids.media}`,
  ]
  const answers = await Promise.all(paths.map((path) => client.get(path)))
  return answers.map(({ text }) => withoutTraces(text)).join('\n')
}

/** What differs between any two answers: the ids that were asked for, and the request's own. */
function withoutTraces(text: string): string {
  return text
    .replace(/"request_id":"[^"]*"/g, '"request_id":""')
    .replace(/"exported_at":"[^"]*"/g, '"exported_at":""')
    .replace(/"last_used_at":("[^"]*"|null)/g, '"last_used_at":null')
}
function withoutIds(text: string, ids: Ids): string {
  return Object.values(ids).reduce((left, id) => left.replaceAll(id, '<id>'), withoutTraces(text))
}

/** A stranger's answer says nothing of the owner's objects, nor whether they exist. */
function expectAlike(foreign: Answer, absent: Answer): void {
  expect({ status: foreign.status, text: withoutIds(foreign.text, owned) }).toEqual({
    status: absent.status,
    text: withoutIds(absent.text, missing),
  })
  expect(foreign.text).not.toContain('Secret words')
  expect(foreign.text).not.toContain('Private')
}

interface Parameter {
  readonly name: string
  readonly in: string
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly content: Record<string, { readonly examples?: Record<string, { readonly value: unknown }> }>
  }
}
const document = JSON.parse(readFileSync(new URL('../schema/openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
}

/** Which object a path parameter names; public things are nobody's, and neither is what administrators keep. */
const named: Record<string, keyof Ids | 'public'> = {
  conversation_id: 'conversation',
  item_id: 'item',
  branch_name: 'branch',
  call_id: 'call',
  project_id: 'project',
  id: 'apiKey',
  share_id: 'share',
  slug: 'public',
  key: 'public',
  memory_id: 'memory',
  media_id: 'media',
  model_id: 'public',
  public_id: 'public',
  public_media_id: 'public',
  model: 'public',
  template_key: 'public',
  template_id: 'public',
}
const parameterNames = (path: string) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
const privateRoutes = Object.entries(document.paths).flatMap(([path, methods]) => {
  const isPrivate = parameterNames(path).some((name) => named[name] !== 'public')
  return isPrivate ? Object.entries(methods).map(([method, operation]) => ({ path, method, operation })) : []
})

describe('a route with somebody else’s ids', () => {
  it('is tested for every kind of id that there is in a path', () => {
    const names = Object.keys(document.paths).flatMap(parameterNames)
    expect(names.filter((name) => !(name in named))).toEqual([])
  })

  it.each(privateRoutes)(
    'is 404, as for one that is not there: $method $path',
    async ({ path, method, operation }) => {
      const examples = operation.requestBody?.content['application/json']?.examples ?? {}
      const bodies = Object.values(examples).map(({ value }) => value)
      for (const body of bodies.length > 0 ? bodies : [undefined]) {
        const ask = (ids: Ids) =>
          send(
            `${server.url}${path.replace(/\{(\w+)\}/g, (_, name: string) => ids[named[name] as keyof Ids])}`,
            {
              method: method.toUpperCase(),
              headers: stranger.headers,
              ...(body === undefined ? {} : { json: body }),
            },
          )
        const [foreign, absent] = [await ask(owned), await ask(missing)]
        expect(foreign.status).toBe(404)
        expectAlike(foreign, absent)
      }
    },
  )

  const administrators = Object.entries(document.paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/admin/') ? Object.keys(methods).map((method) => ({ path, method })) : [],
  )
  it.each(administrators)(
    'is 403 where it is the administrators’: $method $path',
    async ({ path, method }) => {
      const examples =
        document.paths[path]?.[method]?.requestBody?.content['application/json']?.examples ?? {}
      const [example] = Object.values(examples)
      const template = (await owner.get('/v1/prompt-templates/timing')).json<{ id: string }>().id
      const values: Record<string, string> = { template_id: template, template_key: 'timing', model }
      const target = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'x')
      const answer = await send(`${server.url}${target}`, {
        method: method.toUpperCase(),
        headers: stranger.headers,
        ...(example ? { json: example.value } : {}),
      })
      expect(answer.status).toBe(403)
      expect(answer.text).toContain('"code":"admin_required"')
    },
  )

  it('is 404 for an item of another’s behind a conversation of one’s own', async () => {
    const ask = (item: string) => stranger.get(`/v1/conversations/${strangersConversation}/items/${item}`)
    const [foreign, absent] = [await ask(owned.item), await ask(missing.item)]
    expect(foreign.status).toBe(404)
    expectAlike(foreign, absent)
  })

  it('is not in what a stranger takes along', async () => {
    const { status, text } = await stranger.get('/v1/users/me/export')
    expect(status).toBe(200)
    for (const id of Object.values(owned)) expect(text).not.toContain(id)
    expect(text).not.toContain('Secret words')
  })

  const references: [string, (ids: Ids) => Promise<Answer>][] = [
    ['a conversation’s project', (ids) => stranger.post('/v1/conversations', { project_id: ids.project })],
    [
      'the project that a conversation moves to',
      (ids) => stranger.patch(`/v1/conversations/${strangersConversation}`, { project_id: ids.project }),
    ],
    [
      'conversations to be deleted',
      (ids) => stranger.post('/v1/conversations/bulk-delete', { conversation_ids: [ids.conversation] }),
    ],
    ['the project of a list', (ids) => stranger.get(`/v1/conversations?project_id=${ids.project}`)],
    ['a cursor of shares', (ids) => stranger.get(`/v1/shares?after=${ids.share}`)],
    [
      'the answer that is shared of a conversation',
      (ids) =>
        stranger.post(`/v1/conversations/${strangersConversation}/share`, {
          scope: 'item',
          item_id: ids.item,
        }),
    ],
    [
      'a share of a conversation',
      (ids) => stranger.delete(`/v1/conversations/${strangersConversation}/shares/${ids.share}`),
    ],
    [
      'the project of a search',
      (ids) => stranger.get(`/v1/conversations?search=a&project_id=${ids.project}`),
    ],
    ['a cursor of a search', (ids) => stranger.get(`/v1/conversations?search=a&after=${ids.conversation}`)],
    ['a cursor of conversations', (ids) => stranger.get(`/v1/conversations?after=${ids.conversation}`)],
    ['the ids that are deleted', (ids) => stranger.post('/v1/memory/delete', { ids: [ids.memory] })],
    ['the project of memories', (ids) => stranger.get(`/v1/memory?project_id=${ids.project}`)],
    ['the project of a count', (ids) => stranger.get(`/v1/memory/stats?project_id=${ids.project}`)],
    ['a cursor of memories', (ids) => stranger.get(`/v1/memory?after=${ids.memory}`)],
    [
      'the project and the conversation of recall',
      (ids) =>
        stranger.post('/v1/memory/load', {
          query: 'Private',
          project_id: ids.project,
          conversation_id: ids.conversation,
          options: { min_similarity: 0 },
        }),
    ],
    [
      'the project that remembers',
      (ids) =>
        stranger.post('/v1/memory/project/upsert', {
          project_id: ids.project,
          facts: [{ kind: 'context', title: 'T', text: 'Mine now' }],
        }),
    ],
    [
      'the conversation that is observed',
      (ids) =>
        stranger.post('/v1/memory/observe', {
          conversation_id: ids.conversation,
          messages: [{ role: 'user', content: 'Hi' }],
        }),
    ],
    ['media to be resolved', (ids) => stranger.post('/v1/media/resolve', { ids: [ids.media] })],
    [
      'a value that names media',
      (ids) =>
        stranger.post('/v1/media/resolve', { payload: [ids.media, { x: `data:image/png;${ids.media}` }] }),
    ],
    ['media to be deleted', (ids) => stranger.post('/v1/media/bulk-delete', { ids: [ids.media] })],
    [
      'the image that is changed',
      (ids) => stranger.post('/v1/images/edits', { prompt: 'Mine now', image: { id: ids.media } }),
    ],
    [
      'the mask of a change',
      async (ids) =>
        stranger.post('/v1/images/edits', {
          prompt: 'Mine',
          image: dataUrlOf(await testImage()),
          mask: ids.media,
        }),
    ],
    [
      'the conversation of images',
      (ids) => stranger.post('/v1/images/generations', { prompt: 'Mine', conversation_id: ids.conversation }),
    ],
    ['a cursor of media', (ids) => stranger.get(`/v1/media?after=${ids.media}`)],
    ['a cursor of projects', (ids) => stranger.get(`/v1/projects?after=${ids.project}`)],
    [
      'a cursor of items',
      (ids) => stranger.get(`/v1/conversations/${strangersConversation}/items?after=${ids.item}`),
    ],
    [
      'the conversation of a chat',
      (ids) =>
        stranger.post('/v1/chat/completions', {
          model,
          conversation: ids.conversation,
          messages: [{ role: 'user', content: 'Hi' }],
        }),
    ],
    [
      'the conversation of a streamed chat',
      (ids) =>
        stranger.post('/v1/chat/completions', {
          model,
          stream: true,
          conversation: ids.conversation,
          messages: [{ role: 'user', content: 'Hi' }],
        }),
    ],
  ]
  it.each(references)('tells nothing where they are %s', async (_, ask) => {
    expectAlike(await ask(owned), await ask(missing))
  })
})

const schema = buildSchema(readFileSync(new URL('../schema/api.graphql', import.meta.url), 'utf8'))

interface IdPlace {
  readonly field: string
  readonly name: string
}

/** Where a root field takes an id, in its arguments or its input. */
function idsOf(field: GraphQLField<unknown, unknown>): IdPlace[] {
  const places = (name: string, type: GraphQLInputType): IdPlace[] => {
    const inner = getNamedType(type)
    if (inner.name === 'ID') return [{ field: field.name, name }]
    return isInputObjectType(inner)
      ? Object.values(inner.getFields()).flatMap((one) => places(one.name, one.type))
      : []
  }
  return field.args.flatMap(({ name, type }) => places(name, type))
}

const rootFields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) => Object.values(type?.getFields() ?? {}),
)
const idPlaces = rootFields.flatMap(idsOf)

/** Places that name what everybody may see. */
const publicPlaces = [
  'model.id',
  'modelCatalog.id',
  'createChatCompletion.model',
  'createEmbeddings.model',
  'generateImages.model',
  'generateImages.providerId',
  'editImages.model',
  'editImages.providerId',
  'regenerate.model',
  'regeneration.model',
  'chatCompletion.model',
  // takes the caller's own id only: every other is refused alike, existing or not (accounts' own tests)
  'deleteAccount.confirm',
]

/** Places that only administrators can fill: `prompts.db.test.ts` refuses all others. */
const administratorPlaces = [
  'promptTemplate.id',
  'modelPromptTemplates.modelId',
  'effectivePromptTemplates.modelId',
  'updatePromptTemplate.id',
  'deletePromptTemplate.id',
  'duplicatePromptTemplate.id',
  'assignPromptTemplate.modelId',
  'assignPromptTemplate.templateId',
  'updateModelPromptTemplate.modelId',
  'updateModelPromptTemplate.templateId',
  'unassignPromptTemplate.modelId',
]

const messages = [{ role: 'USER', content: 'Hi' }]
const conversationFields =
  '{ id title metadata project { id name instruction } items(first: 5) { nodes { id } } }'
const chatOf = (ids: Ids) => ({ model, messages, conversation: { id: ids.conversation } })

/** An operation for every place that takes an id of somebody's: its text, and its variables with these ids. */
const graphOperations: Record<string, readonly [query: string, variables: (ids: Ids) => object]> = {
  'conversation.id': [
    `query ($id: ID!) { conversation(id: $id) ${conversationFields} }`,
    (ids) => ({ id: ids.conversation }),
  ],
  'conversations.projectId': [
    `query ($id: ID!) { conversations(projectId: $id) { totalCount nodes ${conversationFields} } }`,
    (ids) => ({ id: ids.project }),
  ],
  'project.id': [
    'query ($id: ID!) { project(id: $id) { id name instruction } }',
    (ids) => ({ id: ids.project }),
  ],
  'memory.id': ['query ($id: ID!) { memory(id: $id) { id text } }', (ids) => ({ id: ids.memory })],
  'media.id': ['query ($id: ID!) { media(id: $id) { id bytes } }', (ids) => ({ id: ids.media })],
  'resolveMedia.ids': [
    'query ($ids: [ID!]!) { resolveMedia(ids: $ids) { media { id } missing } }',
    (ids) => ({ ids: [ids.media] }),
  ],
  'completeMediaUpload.id': [
    'mutation ($id: ID!) { completeMediaUpload(id: $id) { media { id } } }',
    (ids) => ({ id: ids.media }),
  ],
  'deleteMedia.ids': [
    'mutation ($ids: [ID!]!) { deleteMedia(ids: $ids) { ids failed } }',
    (ids) => ({ ids: [ids.media] }),
  ],
  'generateImages.conversationId': [
    'mutation ($id: ID!) { generateImages(input: { prompt: "Mine now", conversationId: $id }) { modelId } }',
    (ids) => ({ id: ids.conversation }),
  ],
  'editImages.conversationId': [
    'mutation ($input: EditImagesInput!) { editImages(input: $input) { modelId } }',
    (ids) => ({
      input: { prompt: 'Mine now', images: [{ id: ids.media }], conversationId: ids.conversation },
    }),
  ],
  // the images and the mask
  'editImages.id': [
    'mutation ($input: EditImagesInput!) { editImages(input: $input) { images { b64Json } } }',
    (ids) => ({ input: { prompt: 'Mine now', images: [{ id: ids.media }], mask: { id: ids.media } } }),
  ],
  'recallMemory.projectId': [
    'query ($id: ID!) { recallMemory(input: { query: "private", projectId: $id, minSimilarity: 0 }) { core { similarity } semantic { memory { text } } } }',
    (ids) => ({ id: ids.project }),
  ],
  'recallMemory.conversationId': [
    'query ($id: ID!) { recallMemory(input: { query: "private", conversationId: $id }) { core { similarity } semantic { similarity } } }',
    (ids) => ({ id: ids.conversation }),
  ],
  'observeConversation.conversationId': [
    'mutation ($id: ID!) { observeConversation(input: { conversationId: $id, messages: [{ role: "user", content: "Hi" }] }) }',
    (ids) => ({ id: ids.conversation }),
  ],
  'observeConversation.projectId': [
    'mutation ($input: ObserveConversationInput!) { observeConversation(input: $input) }',
    (ids) => ({
      input: {
        conversationId: strangersConversation,
        projectId: ids.project,
        messages: [{ role: 'user', content: 'Hi' }],
      },
    }),
  ],
  'memories.projectId': [
    'query ($id: ID!) { memories(projectId: $id) { totalCount nodes { id text project { id } } } }',
    (ids) => ({ id: ids.project }),
  ],
  'memoryStats.projectId': [
    'query ($id: ID!) { memoryStats(projectId: $id) { total } }',
    (ids) => ({ id: ids.project }),
  ],
  'search.projectId': [
    'query ($id: ID!) { search(text: "secret", projectId: $id) { totalCount nodes { conversation { id items(first: 5) { nodes { text } } } } } }',
    (ids) => ({ id: ids.project }),
  ],
  'addItems.conversationId': [
    'mutation ($input: AddItemsInput!) { addItems(input: $input) { conversation { id } } }',
    (ids) => ({
      input: {
        conversationId: ids.conversation,
        items: [{ type: 'message', role: 'user', content: 'Mine now' }],
      },
    }),
  ],
  'activateBranch.conversationId': [
    'mutation ($input: BranchInput!) { activateBranch(input: $input) { id activeBranch } }',
    (ids) => ({ input: { conversationId: ids.conversation, name: ids.branch } }),
  ],
  'createBranch.conversationId': [
    'mutation ($input: CreateBranchInput!) { createBranch(input: $input) { name } }',
    (ids) => ({ input: { conversationId: ids.conversation, name: 'mine' } }),
  ],
  'createBranch.forkFromItemId': [
    'mutation ($input: CreateBranchInput!) { createBranch(input: $input) { name } }',
    (ids) => ({
      input: { conversationId: strangersConversation, name: 'mine', forkFromItemId: ids.item },
    }),
  ],
  'deleteBranch.conversationId': [
    'mutation ($input: BranchInput!) { deleteBranch(input: $input) { name } }',
    (ids) => ({ input: { conversationId: ids.conversation, name: ids.branch } }),
  ],
  'editItem.conversationId': [
    'mutation ($input: EditItemInput!) { editItem(input: $input) { branch } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item, content: 'Mine now' } }),
  ],
  'editItem.itemId': [
    'mutation ($input: EditItemInput!) { editItem(input: $input) { branch } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item, content: 'Mine now' } }),
  ],
  'prepareRegeneration.conversationId': [
    'mutation ($input: PrepareRegenerationInput!) { prepareRegeneration(input: $input) { branch } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item } }),
  ],
  'prepareRegeneration.itemId': [
    'mutation ($input: PrepareRegenerationInput!) { prepareRegeneration(input: $input) { branch } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item } }),
  ],
  'regenerate.conversationId': [
    'mutation ($input: RegenerateInput!) { regenerate(input: $input) { branch content } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item } }),
  ],
  'regenerate.itemId': [
    'mutation ($input: RegenerateInput!) { regenerate(input: $input) { branch content } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item, model } }),
  ],
  'regeneration.conversationId': [
    'subscription ($input: RegenerateInput!) { regeneration(input: $input) { content } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item, model } }),
  ],
  'regeneration.itemId': [
    'subscription ($input: RegenerateInput!) { regeneration(input: $input) { content } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item, model } }),
  ],
  'rateItem.conversationId': [
    'mutation ($input: RateItemInput!) { rateItem(input: $input) { id rating } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item, rating: 'LIKE' } }),
  ],
  'rateItem.itemId': [
    'mutation ($input: RateItemInput!) { rateItem(input: $input) { id rating } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item, rating: 'LIKE' } }),
  ],
  'unrateItem.conversationId': [
    'mutation ($input: UnrateItemInput!) { unrateItem(input: $input) { id rating } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item } }),
  ],
  'unrateItem.itemId': [
    'mutation ($input: UnrateItemInput!) { unrateItem(input: $input) { id rating } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item } }),
  ],
  'reportToolCall.conversationId': [
    'mutation ($input: ReportToolCallInput!) { reportToolCall(input: $input) { id name } }',
    (ids) => ({ input: { conversationId: ids.conversation, callId: ids.call, status: 'FAILED' } }),
  ],
  'bulkDeleteConversations.ids': [
    'mutation ($ids: [ID!]!) { bulkDeleteConversations(ids: $ids) { count } }',
    (ids) => ({ ids: [ids.conversation] }),
  ],
  'createChatCompletion.id': [
    'mutation ($input: ChatCompletionInput!) { createChatCompletion(input: $input) { content } }',
    (ids) => ({ input: chatOf(ids) }),
  ],
  'createConversation.projectId': [
    `mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }`,
    (ids) => ({ input: { projectId: ids.project } }),
  ],
  'deleteConversation.id': [
    'mutation ($id: ID!) { deleteConversation(id: $id) { id } }',
    (ids) => ({ id: ids.conversation }),
  ],
  'deleteItem.conversationId': [
    'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item } }),
  ],
  'deleteItem.itemId': [
    'mutation ($input: DeleteItemInput!) { deleteItem(input: $input) { id } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item } }),
  ],
  'deleteMemories.ids': [
    'mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }',
    (ids) => ({ ids: [ids.memory] }),
  ],
  'deleteProject.id': [
    'mutation ($id: ID!) { deleteProject(id: $id) { id } }',
    (ids) => ({ id: ids.project }),
  ],
  'shareConversation.conversationId': [
    'mutation ($input: ShareConversationInput!) { shareConversation(input: $input) { id slug } }',
    (ids) => ({ input: { conversationId: ids.conversation } }),
  ],
  'shareItem.conversationId': [
    'mutation ($input: ShareItemInput!) { shareItem(input: $input) { id slug } }',
    (ids) => ({ input: { conversationId: ids.conversation, itemId: ids.item } }),
  ],
  'shareItem.itemId': [
    'mutation ($input: ShareItemInput!) { shareItem(input: $input) { id slug } }',
    (ids) => ({ input: { conversationId: strangersConversation, itemId: ids.item } }),
  ],
  'revokeShare.id': [
    'mutation ($id: ID!) { revokeShare(id: $id) { id slug } }',
    (ids) => ({ id: ids.share }),
  ],
  'revokeShare.conversationId': [
    'mutation ($id: ID!, $of: ID) { revokeShare(id: $id, conversationId: $of) { id slug } }',
    (ids) => ({ id: ids.share, of: ids.conversation }),
  ],
  'revokeApiKey.id': [
    'mutation ($id: ID!) { revokeApiKey(id: $id) { id name } }',
    (ids) => ({ id: ids.apiKey }),
  ],
  'updateConversation.id': [
    `mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id title } }`,
    (ids) => ({ input: { id: ids.conversation, title: 'Mine now' } }),
  ],
  'updateConversation.projectId': [
    `mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { id } }`,
    (ids) => ({ input: { id: strangersConversation, projectId: ids.project } }),
  ],
  'updateMemory.id': [
    'mutation ($input: UpdateMemoryInput!) { updateMemory(input: $input) { id text } }',
    (ids) => ({ input: { id: ids.memory, text: 'Mine now' } }),
  ],
  'updateProject.id': [
    'mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { id name } }',
    (ids) => ({ input: { id: ids.project, name: 'Mine now' } }),
  ],
  'upsertProjectMemories.projectId': [
    'mutation ($input: UpsertProjectMemoriesInput!) { upsertProjectMemories(input: $input) { id text } }',
    (ids) => ({
      input: { projectId: ids.project, facts: [{ kind: 'CONTEXT', title: 'T', text: 'Mine now' }] },
    }),
  ],
  'itemChanged.conversationId': [
    'subscription ($id: ID!) { itemChanged(conversationId: $id) { type id } }',
    (ids) => ({ id: ids.conversation }),
  ],
  'chatCompletion.id': [
    'subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { content } }',
    (ids) => ({ input: chatOf(ids) }),
  ],
}

interface GraphAnswer {
  readonly data?: Record<string, unknown> | null
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[]
}

describe('a field with somebody else’s ids', () => {
  it('is tested for every place in the schema that takes an id', () => {
    const places = idPlaces.map(({ field, name }) => `${field}.${name}`)
    const tested = [...Object.keys(graphOperations), ...publicPlaces, ...administratorPlaces]
    expect([...new Set(places)].toSorted()).toEqual(tested.toSorted())
  })

  it.each(Object.entries(graphOperations))(
    'is null or not found, as for one that is not there: %s',
    async (place, [query, variables]) => {
      const isStream = query.startsWith('subscription')
      const ask = (client: TestClient, ids: Ids) =>
        send(`${server.url}/graphql${isStream ? '/stream' : ''}`, {
          method: 'POST',
          headers: { ...client.headers, accept: isStream ? 'text/event-stream' : 'application/json' },
          json: { query, variables: variables(ids) },
        })
      const [foreign, absent] = [await ask(stranger, owned), await ask(stranger, missing)]
      expectAlike(foreign, absent)
      if (isStream) {
        expect(foreign.text).toMatch(/"code":"(conversation|item)_not_found"/)
        return
      }
      const { data, errors } = foreign.json<GraphAnswer>()
      const field = place.split('.')[0] as string
      if (errors) expect(errors[0]?.extensions.code).toMatch(/(not_found|^invalid_media_reference)$/)
      else
        expect([
          null,
          { totalCount: 0, nodes: [] },
          { count: 0 },
          { total: 0 },
          { ids: [] },
          { core: [], semantic: [] },
          { media: [], missing: [owned.media] },
          { ids: [], failed: [owned.media] },
        ]).toContainEqual(data?.[field])
    },
  )
})

describe('the owner', () => {
  it.each([
    'conversation.id',
    'conversations.projectId',
    'project.id',
    'search.projectId',
    'memory.id',
    'memories.projectId',
  ])('gets what is asked for: %s', async (place) => {
    const [query, variables] = graphOperations[place] as (typeof graphOperations)[string]
    const answer = await owner.graphql(query, variables(owned))
    expect(answer.errors).toBeUndefined()
    expect(JSON.stringify(answer.data)).toContain('Secret words.')
  })
})

describe('what strangers tried', () => {
  it('has left everything as it was', async () => {
    expect(await everythingOf(owner, owned)).toBe(before)
  })
})
