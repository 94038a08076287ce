import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { dataUrlOf, testImage } from '../../platform/testing/test-image.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { erasureSource } from './sources/erasures.ts'
import { usageSource } from './sources/usage.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph({ MEMORY_ENABLED: 'true', CONVERSATION_SHARING_ENABLED: 'true' })
})
afterAll(() => test.stop())

async function ask(actor: Actor | null, text: string, variables = {}) {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables,
    context: test.contextFor(actor),
  })
  return { data: data as Record<string, never> | null, error: errors?.[0]?.extensions }
}

async function guest(): Promise<Actor & { refreshToken: string }> {
  const { data } = await ask(null, 'mutation { guestLogin { refreshToken user { id } } }')
  if (!data) throw new Error('the guest login failed')
  const { refreshToken, user } = data.guestLogin as unknown as { refreshToken: string; user: { id: string } }
  return { ...someActor({ id: user.id, subject: user.id, isGuest: true }), refreshToken }
}

/** Something of everything that a user can have. */
async function fill(actor: Actor): Promise<void> {
  const done = await Promise.all([
    ask(actor, 'mutation { createApiKey(input: { name: "k" }) { key } }'),
    ask(actor, 'mutation { createProject(input: { name: "p" }) { id } }'),
    ask(actor, 'mutation { createProject(input: { name: "gone" }) { id } }'),
    ...Array.from({ length: 3 }, () =>
      ask(
        actor,
        'mutation { createConversation(input: { title: "t", items: [{ role: "user", content: "Hello" }] }) { id } }',
      ),
    ),
    ask(
      actor,
      'mutation { createChatCompletion(input: { model: "jan-dev", messages: [{ role: USER, content: "Hello" }], conversation: {} }) { id } }',
    ),
    ask(actor, 'mutation { updateUserSettings(input: { enableTrace: true }) { id } }'),
    ask(
      actor,
      'mutation { upsertMemories(input: { items: [{ scope: CORE, key: "k", text: "t" }] }) { id } }',
    ),
    ask(actor, 'mutation ($dataUrl: String!) { createMedia(input: { dataUrl: $dataUrl }) { deduped } }', {
      dataUrl: dataUrlOf(await testImage()),
    }),
    ask(actor, 'mutation { prepareMediaUpload(input: { contentType: "image/png" }) { id } }'),
  ])
  const project = (done[2]?.data?.createProject as unknown as { id: string } | undefined)?.id
  await ask(actor, 'mutation ($id: ID!) { deleteProject(id: $id) { id } }', { id: project })
  const idOf = (at: number) =>
    (done[at]?.data?.createConversation as unknown as { id: string } | undefined)?.id
  await ask(actor, 'mutation ($id: ID!) { deleteConversation(id: $id) { id } }', { id: idOf(3) })
  await ask(
    actor,
    'mutation ($id: ID!) { addItems(input: { conversationId: $id, items: [{ role: "assistant", content: "Hi" }] }) { conversation { id } } }',
    { id: idOf(4) },
  )
  await ask(actor, 'mutation ($id: ID!) { shareConversation(input: { conversationId: $id }) { id } }', {
    id: idOf(4),
  })
  const forgotten = await ask(
    actor,
    'mutation { upsertMemories(input: { items: [{ scope: CORE, key: "f", text: "t" }] }) { id } }',
  )
  await ask(actor, 'mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }', {
    ids: (forgotten.data?.upsertMemories as unknown as { id: string }[] | undefined)?.map(({ id }) => id),
  })
}

const sql = async (text: string, values: unknown[] = []) =>
  (await test.services.database.pool.query<Record<string, never>>(text, values)).rows

/** Rows that hold the user's id, in whatever column of whatever table. */
async function rowsOf(userId: string): Promise<Record<string, number>> {
  const columns = await sql(`
    select table_schema as schema, table_name as name, column_name as column from information_schema.columns
    where table_schema in ('accounts', 'projects', 'conversations', 'models', 'memory', 'media') and data_type in ('uuid', 'text')
      and table_name not in ('erasure', 'erased')`)
  const found: Record<string, number> = {}
  for (const { schema, name, column } of columns) {
    const [row] = await sql(
      `select count(*)::int as count from "${schema}"."${name}" where "${column}"::text = $1`,
      [userId],
    )
    const count = Number(row?.count)
    if (count > 0) found[`${schema}.${name}`] = count
  }
  return found
}

/** Every table whose rows are of a user, but for the notes of deletions. */
async function tablesOfUsers(): Promise<string[]> {
  const rows = await sql(`
    select distinct table_schema || '.' || table_name as name from information_schema.columns
    where table_schema in ('accounts', 'projects', 'conversations', 'models', 'memory', 'media')
      and column_name in ('user_id', 'owner_id') and table_name not in ('erasure', 'erased') order by name`)
  return rows.map(({ name }) => String(name))
}

/** When it has something everywhere: usage and what search looks in are written a moment after the answer. */
async function furnished(userId: string): Promise<void> {
  const tables = await tablesOfUsers()
  for (let tries = 0; tries < 500; tries += 1) {
    const rows = await rowsOf(userId)
    if (tables.every((table) => table in rows)) return
    await sleep(20)
  }
  expect(Object.keys(await rowsOf(userId))).toEqual(expect.arrayContaining(tables))
}

async function erased(userId: string): Promise<void> {
  for (;;) {
    const rows = await sql('select subgraph from accounts.erased where user_id = $1', [userId])
    if (rows.length >= 5) return
    await sleep(20)
  }
}

/** Without what is written behind the rest: entries of the search, which become more meanwhile. */
function settled({ 'conversations.search_entry': _, ...rows }: Record<string, number>) {
  return rows
}

const deletion = 'mutation ($id: ID!) { deleteAccount(input: { confirm: $id }) { id } }'

describe('an account that its user deletes', () => {
  it('is gone with all that belongs to it, and nothing of others is', async () => {
    const [leaving, staying] = [await guest(), await guest()]
    await fill(leaving)
    await fill(staying)
    await furnished(leaving.id)
    await furnished(staying.id)
    const before = settled(await rowsOf(staying.id))
    expect(await ask(leaving, deletion, { id: leaving.id })).toMatchObject({
      data: { deleteAccount: { id: leaving.id } },
    })
    await erased(leaving.id)
    // what is left is the id of nobody, until tokens from before have ended
    expect(await rowsOf(leaving.id)).toEqual({ 'accounts.user_account': 1 })
    const [user] = await sql('select * from accounts.user_account where id = $1', [leaving.id])
    expect(user).toMatchObject({ username: null, email: null, name: null, picture: null })
    expect(settled(await rowsOf(staying.id))).toEqual(before)
    const items = await sql('select count(*)::int as count from conversations.item')
    expect(items[0]?.count).toBeGreaterThan(0)
  })

  it('is not brought back by an answer that is being written meanwhile', async () => {
    const leaving = await guest()
    const events = await test.graph.clients.subscribe({
      document: parse(
        'subscription { chatCompletion(input: { model: "jan-dev", messages: [{ role: USER, content: "Hello" }], conversation: {} }) { id } }',
      ),
      variables: {},
      context: test.contextFor(leaving),
    })
    if (!(Symbol.asyncIterator in events)) throw new Error('the stream did not begin')
    await events.next()
    expect(await rowsOf(leaving.id)).toMatchObject({ 'conversations.turn': 1 })
    await ask(leaving, deletion, { id: leaving.id })
    await erased(leaving.id)
    for await (const _ of events) void _
    expect(await rowsOf(leaving.id)).toEqual({ 'accounts.user_account': 1 })
  })

  it('leaves no usage behind that is told of when it is gone, however late; that of others is kept', async () => {
    const [leaving, staying] = [await guest(), await guest()]
    await ask(leaving, deletion, { id: leaving.id })
    await erased(leaving.id)
    const usage = usageSource(
      await test.services.database.attach({ name: 'accounts', entities: [], migrations: [] }),
    )
    const recordOf = ({ id: userId }: Actor) => ({
      id: `late-${userId}`,
      userId,
      model: 'm',
      provider: 'p',
      promptTokens: 1,
      completionTokens: 1,
      totalTokens: 2,
      estimated: false,
      durationMs: 1,
      status: 'completed' as const,
      stream: false,
    })
    expect(await usage.insert([recordOf(leaving), recordOf(staying)])).toBe(1)
    expect(await rowsOf(leaving.id)).toEqual({ 'accounts.user_account': 1 })
    expect(await rowsOf(staying.id)).toMatchObject({ 'accounts.usage_record': 1 })
  })

  it('can’t be used any more', async () => {
    const leaving = await guest()
    await ask(leaving, deletion, { id: leaving.id })
    const refreshed = await ask(
      null,
      'mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }',
      { token: leaving.refreshToken },
    )
    expect(refreshed.error).toMatchObject({ code: 'invalid_token' })
    expect((await ask(leaving, '{ me { id } }')).error).toMatchObject({ code: 'invalid_token' })
    expect((await ask(leaving, deletion, { id: leaving.id })).error).toMatchObject({ code: 'invalid_token' })
  })

  it('must be named by its id, by its user in person', async () => {
    const actor = await guest()
    const other = await guest()
    for (const confirm of ['', 'yes', other.id])
      expect((await ask(actor, deletion, { id: confirm })).error).toMatchObject({
        code: 'invalid_parameter',
        param: 'confirm',
      })
    const byKey = { ...actor, method: 'api_key' as const }
    expect((await ask(byKey, deletion, { id: actor.id })).error).toMatchObject({ code: 'permission_denied' })
    expect((await ask(null, deletion, { id: actor.id })).error).toMatchObject({ code: 'missing_credentials' })
    expect((await ask(actor, '{ me { id } }')).data).toEqual({ me: { id: actor.id } })
  })

  it('is erased once more when requests from before have ended, by a subgraph that was away at once', async () => {
    const leaving = await guest()
    await ask(leaving, deletion, { id: leaving.id })
    await erased(leaving.id)
    const source = erasureSource(
      await test.services.database.attach({ name: 'accounts', entities: [], migrations: [] }),
    )
    expect(await source.pending('conversations', 100)).not.toContain(leaving.id)
    expect(await source.pending('was-away', 100)).toContain(leaving.id)
    await sql(
      `update accounts.erasure set requested_at = requested_at - interval '61 minutes' where user_id = $1`,
      [leaving.id],
    )
    await sql(`update accounts.erased set erased_at = erased_at - interval '61 minutes' where user_id = $1`, [
      leaving.id,
    ])
    expect(await source.pending('conversations', 100)).toContain(leaving.id)
    await source.confirm('conversations', [leaving.id])
    expect(await source.pending('conversations', 100)).not.toContain(leaving.id)
  })
})
