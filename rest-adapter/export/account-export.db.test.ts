import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'
import { accountExport } from './account-export.ts'

let test: TestGraph
let actor: Actor
beforeAll(async () => {
  test = await startTestGraph({ MEMORY_ENABLED: 'true' })
  const context = test.contextFor(null)
  const document = parse('mutation { guestLogin { user { id } } }')
  const { data } = await test.graph.clients.execute({ document, variables: {}, context })
  actor = someActor({ id: (data as { guestLogin: { user: { id: string } } }).guestLogin.user.id })
})
afterAll(() => test.stop())

const change = async (text: string, variables: Record<string, unknown>) => {
  const context = test.contextFor(actor)
  const { errors } = await test.graph.clients.execute({ document: parse(text), variables, context })
  expect(errors).toBeUndefined()
}

describe('the export of an account', () => {
  it('comes to its end though memories are forgotten while it is read', async () => {
    const items = Array.from({ length: 80 }, (_, at) => ({
      scope: 'CORE',
      key: `k${at}`,
      text: `Fact ${at}`,
    }))
    await change('mutation ($input: UpsertMemoriesInput!) { upsertMemories(input: $input) { id } }', {
      input: { items },
    })
    let text = ''
    let isForgotten = false
    for await (const piece of accountExport(test.contextFor(actor), new Date())) {
      text += piece
      const ids = text.match(/\bmem_[0-9a-z]{16}\b/g) ?? []
      if (isForgotten || ids.length < 50) continue
      isForgotten = true
      await change('mutation ($ids: [ID!]!) { deleteMemories(ids: $ids) { ids } }', { ids })
    }
    expect(isForgotten).toBe(true)
    expect((JSON.parse(text) as { memories: object[] }).memories).toHaveLength(80)
  })

  it('has every branch, though the one that a page ends with is deleted while it is read', async () => {
    const { pool } = test.services.database
    await change('mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }', {
      input: { title: 'Of many branches' },
    })
    const { rows } = await pool.query<{ key: string }>(
      "select key from conversations.conversation where owner_id = $1 and title = 'Of many branches'",
      [actor.id],
    )
    await pool.query(
      "insert into conversations.branch (conversation_key, name) select $1, 'branch ' || n from generate_series(1, 120) n",
      [rows[0]?.key],
    )
    let text = ''
    let isDeleted = false
    for await (const piece of accountExport(test.contextFor(actor), new Date())) {
      text += piece
      const names = text.match(/\bbranch \d+\b/g) ?? []
      if (isDeleted || names.length < 49) continue
      isDeleted = true
      await pool.query('delete from conversations.branch where conversation_key = $1 and name = any($2)', [
        rows[0]?.key,
        names,
      ])
    }
    expect(isDeleted).toBe(true)
    const { conversations } = JSON.parse(text) as { conversations: { branches: { name: string }[] }[] }
    const names = conversations[0]?.branches.map(({ name }) => name) ?? []
    expect(names).toHaveLength(121)
    expect(new Set(names).size).toBe(121)
  })

  it('has shares that were made before sharing was switched off', async () => {
    const { pool } = test.services.database
    await change('mutation ($input: CreateConversationInput!) { createConversation(input: $input) { id } }', {
      input: { title: 'Shared' },
    })
    await pool.query(
      `insert into conversations.share (public_id, slug, conversation_key, owner_id, title, includes_images, includes_context, revoked_at, snapshot)
       select 'share_' || lpad(n::text, 16, '0'), lpad(n::text, 22, '0'), c.key, c.owner_id, 'Earlier', false, false, case when n < 60 then now() end,
         case when n = 60 then '{"modelName":null,"createdAt":"2026-01-01T00:00:00.000Z","items":[]}'::json end
       from conversations.conversation c, generate_series(1, 60) n where c.owner_id = $1 and c.title = 'Shared'`,
      [actor.id],
    )
    let text = ''
    for await (const piece of accountExport(test.contextFor(actor), new Date())) text += piece
    const { shares } = JSON.parse(text) as { shares: { id: string }[] }
    expect(shares.map(({ id }) => id)).toEqual(
      Array.from({ length: 60 }, (_, at) => `share_${String(at + 1).padStart(16, '0')}`),
    )
  })

  it('has every usage record of the caller’s once, in the order of their moments, and nobody else’s', async () => {
    const { pool } = test.services.database
    // most of them of one moment: more than a page has
    const insert = `
      insert into accounts.usage_record (id, user_id, model, provider, prompt_tokens, completion_tokens, total_tokens, estimated,
        duration_ms, status, stream, created_at)
      select $2 || n, $1, 'm', 'p', 1, 2, 3, false, 4, 'aborted', true, timestamptz '2026-01-02' - make_interval(days => n / 120)
      from generate_series(1, 130) n`
    await pool.query(insert, [actor.id, 'mine-'])
    await pool.query(insert, [someActor().id, 'foreign-'])
    let text = ''
    for await (const piece of accountExport(test.contextFor(actor), new Date())) text += piece
    const { usage } = JSON.parse(text) as { usage: { id: string }[] }
    const numbers = [...Array(11).keys()]
      .map((at) => at + 120)
      .concat([...Array(119).keys()].map((at) => at + 1))
    expect(usage.map(({ id }) => id)).toEqual(numbers.map((n) => `mine-${n}`))
    expect(usage[0]).toMatchObject({
      status: 'aborted',
      total_tokens: 3,
      time_to_first_token_ms: null,
      created_at: Date.parse('2026-01-01T00:00:00Z') / 1000,
    })
  })

  it('refuses a cursor of usage that names none of the caller’s', async () => {
    const document = parse('query ($after: String!) { exportUsage(after: $after) { nodes { id } } }')
    for (const after of ['foreign-1', 'none', 'nul \u0000', 'half \ud83d']) {
      const context = test.contextFor(actor)
      const { errors } = await test.graph.clients.execute({ document, variables: { after }, context })
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'invalid_cursor', param: 'after' })
    }
    const { errors } = await test.graph.clients.execute({
      document: parse('{ exportUsage { nodes { id } } exportSessions { id } }'),
      variables: {},
      context: test.contextFor(null),
    })
    expect(errors?.map(({ extensions }) => extensions.code)).toContain('missing_credentials')
  })

  it('comes to its end with all media, though the one that a page ends with is deleted while it is read', async () => {
    const { pool } = test.services.database
    await pool.query(
      `insert into media.media (public_id, owner_id, storage_key, mime_type, bytes, sha256, width, height, is_alias)
       select 'jan_' || lpad(n::text, 26, '0'), $1, 'images/' || lpad(n::text, 26, '0') || '.png', 'image/png', 1, sha256(n::text::bytea), 1, 1, false
       from generate_series(1, 120) n`,
      [actor.id],
    )
    let text = ''
    let isDeleted = false
    for await (const piece of accountExport(test.contextFor(actor), new Date())) {
      text += piece
      const ids = text.match(/\bjan_\d{26}\b/g) ?? []
      if (isDeleted || ids.length < 50) continue
      isDeleted = true
      await pool.query('delete from media.media where public_id = any($1)', [ids])
    }
    expect(isDeleted).toBe(true)
    const ids = (JSON.parse(text) as { media: { id: string }[] }).media.map(({ id }) => id)
    expect(ids).toEqual(Array.from({ length: 120 }, (_, at) => `jan_${String(at + 1).padStart(26, '0')}`))
  })
})
