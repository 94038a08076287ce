import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'graphql'
import type { Actor } from '../../platform/actor.ts'
import { someActor, startTestGraph, type TestGraph } from '../../wiring/test.ts'

let test: TestGraph
beforeAll(async () => {
  test = await startTestGraph()
})
afterAll(() => test.stop())

const dayMs = 86_400_000

const ask = async (text: string, variables: object, actor: Actor | null) => {
  const { data, errors } = await test.graph.clients.execute({
    document: parse(text),
    variables: variables as Record<string, unknown>,
    context: test.contextFor(actor),
  })
  const { code, param } = errors?.[0]?.extensions ?? {}
  return {
    data: data as Record<'guestLogin' | 'createApiKey' | 'revokeApiKey' | 'apiKeys', never>,
    code,
    param,
  }
}

/** A user with a row. */
const owner = async (changes: Partial<Actor> = {}): Promise<Actor> => {
  const { data } = await ask('mutation { guestLogin { user { id } } }', {}, null)
  return someActor({ id: (data.guestLogin as { user: { id: string } }).user.id, ...changes })
}

interface Created {
  key: string
  apiKey: Record<string, string | string[] | null> & { id: string; expiresAt: string }
}
const create = (actor: Actor | null, input: object = {}) =>
  ask(
    `mutation ($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { key apiKey { id name prefix suffix status scopes createdAt expiresAt revokedAt lastUsedAt } }
    }`,
    { input: { name: 'a key', ...input } },
    actor,
  )
const created = async (actor: Actor, input: object = {}): Promise<Created> =>
  (await create(actor, input)).data.createApiKey
const keys = async (actor: Actor): Promise<Created['apiKey'][]> =>
  (await ask('{ apiKeys { id name status scopes lastUsedAt revokedAt } }', {}, actor)).data.apiKeys
const revoke = (actor: Actor | null, id: string) =>
  ask('mutation ($id: ID!) { revokeApiKey(id: $id) { id status revokedAt } }', { id }, actor)

describe('API keys', () => {
  it('are shown once, and only their hash is stored', async () => {
    const actor = await owner()
    const { key, apiKey } = await created(actor, { name: ' My laptop ' })
    expect(key).toMatch(/^sk_live_[0-9a-f]{48}$/)
    expect(apiKey).toMatchObject({
      name: 'My laptop',
      prefix: 'sk_live',
      suffix: key.slice(-4),
      status: 'ACTIVE',
      scopes: ['read', 'write'],
      revokedAt: null,
      lastUsedAt: null,
    })
    const { rows } = await test.services.database.pool.query('select * from accounts.api_key where id = $1', [
      apiKey.id,
    ])
    expect(rows[0].secret_hash).toEqual(createHash('sha256').update(key).digest())
    expect(JSON.stringify({ ...rows[0], secret_hash: null })).not.toContain(key.slice(8, -4))
    expect(JSON.stringify(await keys(actor))).not.toContain(key)
  })

  it.each([
    [{}, 90],
    [{ expiresInDays: 30 }, 30],
    [{ expiresInDays: 365 }, 90],
    [{ expiresInDays: 2_147_483_647 }, 90],
    [{ expiresIn: 3600 }, 1 / 24],
    [{ expiresIn: 2_147_483_647 }, 90],
    [{ expiresInDays: 7, expiresIn: 60 }, 7],
  ])('asked for with %j live %d days', async (input, days) => {
    const { apiKey } = await created(await owner(), input)
    expect(Date.parse(apiKey.expiresAt) - Date.now()).toBeGreaterThan(days * dayMs - 10_000)
    expect(Date.parse(apiKey.expiresAt) - Date.now()).toBeLessThanOrEqual(days * dayMs)
  })

  it.each([
    [{ name: '   ' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ expiresInDays: 0 }, 'expires_in_days'],
    [{ expiresIn: -5 }, 'expires_in'],
    [{ scopes: ['two words'] }, 'scopes'],
    [{ scopes: [''] }, 'scopes'],
  ])('are refused with %j', async (input, param) => {
    expect(await create(await owner(), input)).toMatchObject({ code: 'invalid_parameter', param })
  })

  it('are five at most, however many are asked for at once', async () => {
    const actor = await owner()
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => create(actor)))
    expect(outcomes.filter(({ code }) => code === undefined)).toHaveLength(5)
    expect(outcomes.filter(({ code }) => code === 'api_key_limit_reached')).toHaveLength(7)
    const [first] = await keys(actor)
    await revoke(actor, first!.id)
    expect((await create(actor)).code).toBeUndefined()
    expect((await create(actor)).code).toBe('api_key_limit_reached')
  })

  it('that have ended do not count, and are listed after those that work', async () => {
    const actor = await owner()
    const made: Created[] = []
    for (const name of ['one', 'two', 'three', 'four', 'five']) made.push(await created(actor, { name }))
    await revoke(actor, made[4]!.apiKey.id)
    await test.services.database.pool.query(
      "update accounts.api_key set expires_at = now() - interval '1 s' where id = $1",
      [made[3]!.apiKey.id],
    )
    await created(actor, { name: 'six' })
    expect((await keys(actor)).map(({ name, status }) => [name, status])).toEqual([
      ['six', 'ACTIVE'],
      ['three', 'ACTIVE'],
      ['two', 'ACTIVE'],
      ['one', 'ACTIVE'],
      ['five', 'REVOKED'],
      ['four', 'EXPIRED'],
    ])
  })

  it('can be revoked by their owner alone, once', async () => {
    const actor = await owner()
    const { apiKey } = await created(actor)
    expect((await revoke(await owner(), apiKey.id)).code).toBe('not_found')
    expect((await revoke(actor, 'sk_live')).code).toBe('invalid_id')
    expect((await revoke(null, apiKey.id)).code).toBe('missing_credentials')
    expect((await revoke(actor, apiKey.id.toUpperCase())).data.revokeApiKey).toMatchObject({
      status: 'REVOKED',
    })
    expect((await revoke(actor, apiKey.id)).code).toBe('not_found')
  })

  it('remember when they were used', async () => {
    const actor = await owner()
    const { key } = await created(actor)
    const before = Date.now()
    const verify = parse(
      'query ($input: VerifyCredentialsInput!) { verifyCredentials(input: $input) { expiresAt } }',
    )
    await test.graph.trusted.execute(verify, { input: { bearer: key } }, test.contextFor(null))
    const [listed] = await keys(actor)
    expect(Date.parse(String(listed?.lastUsedAt))).toBeGreaterThanOrEqual(before)
  })

  it('can’t be given a power that their maker has not', async () => {
    const actor = await owner()
    expect(await create(actor, { scopes: ['mcp:admin'] })).toMatchObject({
      code: 'permission_denied',
      param: 'scopes',
    })
    expect(
      (await create(await owner({ scopes: ['mcp:admin'] }), { scopes: ['mcp:admin'] })).code,
    ).toBeUndefined()
    const reader = await owner({ method: 'api_key', scopes: ['read'] })
    expect((await create(reader, { scopes: ['write'] })).code).toBe('permission_denied')
    expect((await created(reader)).apiKey.scopes).toEqual(['read'])
  })

  it('ask for a sign-in', async () => {
    expect((await create(null)).code).toBe('missing_credentials')
    expect((await ask('{ apiKeys { id } }', {}, null)).code).toBe('missing_credentials')
  })
})
