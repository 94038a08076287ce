import { beforeAll, describe, expect, it } from '@jest/globals'
import { guest, type TestClient } from './client.ts'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
let client: TestClient
beforeAll(async () => {
  server = await sharedTestServer()
  client = await guest(server)
}, 60_000)

interface Found {
  readonly data: {
    readonly id: string
    readonly title: string
    readonly score: number
    readonly highlighted_title: string
    readonly matches: { readonly item_id: string; readonly role: string; readonly snippet: string }[]
  }[]
  readonly has_more: boolean
  readonly next_after: string | null
  readonly total: number
}

async function found(path: string, by = client): Promise<Found> {
  const answer = await by.get(path)
  expect(answer.status).toBe(200)
  return answer.json<Found>()
}

describe('GET /v1/conversations?search=', () => {
  it('finds a stored turn by its question, its answer and its title', async () => {
    const model = (await client.get('/v1/models')).json<{ data: { id: string }[] }>().data[0]?.id
    const turn = await client.post('/v1/chat/completions', {
      model,
      store: true,
      conversation: {},
      messages: [{ role: 'user', content: 'Tell me about pangolins & <b>armadillos</b>.' }],
    })
    const { conversation } = turn.json<{ conversation: { id: string } }>()
    const { data, total } = await found('/v1/conversations?search=Pangolins')
    expect(total).toBe(1)
    expect(data).toMatchObject([
      { id: conversation.id, highlighted_title: expect.stringContaining('<mark>pangolins</mark>') },
    ])
    const asked = data[0]?.matches.find(({ role }) => role === 'user')
    expect(asked?.snippet).toBe('Tell me about <mark>pangolins</mark> &amp; &lt;b&gt;armadillos&lt;/b&gt;.')
    const item = await client.get(`/v1/conversations/${conversation.id}/items/${asked?.item_id}`)
    expect(item.status).toBe(200)
    expect((await found('/v1/conversations?search=pangolins', await guest(server))).data).toEqual([])
  })

  it('turns pages by the last id, and takes the filters of the list', async () => {
    const project = (await client.post('/v1/projects', { name: 'Searched' })).json<{ id: string }>()
    for (let at = 0; at < 5; at++)
      await client.post('/v1/conversations', {
        title: `Okapi ${at}`,
        ...(at === 0 ? { project_id: project.id } : { referrer: 'zoo' }),
      })
    const seen: string[] = []
    let after = ''
    for (;;) {
      const page: Found = await found(`/v1/conversations?search=okapi&limit=2${after}`)
      expect(page.total).toBe(5)
      seen.push(...page.data.map(({ title }) => title))
      if (page.next_after === null) break
      after = `&after=${page.next_after}`
    }
    expect(seen.sort()).toEqual(['Okapi 0', 'Okapi 1', 'Okapi 2', 'Okapi 3', 'Okapi 4'])
    expect((await found(`/v1/conversations?search=okapi&project_id=${project.id}`)).total).toBe(1)
    expect((await found('/v1/conversations?search=okapi&referrer=zoo')).total).toBe(4)
    expect((await found('/v1/conversations?search=okapi&archived=false')).total).toBe(5)
    expect((await found('/v1/conversations?search=okapi&archived=true')).total).toBe(0)
  })

  it('is the plain list where nothing is searched', async () => {
    const { data } = await found('/v1/conversations?search=%20&limit=1')
    expect(data).toHaveLength(1)
    expect(data[0]).not.toHaveProperty('matches')
  })

  it('refuses what can’t be searched', async () => {
    const errorOf = async (query: string) => {
      const answer = await client.get(`/v1/conversations?${query}`)
      return { status: answer.status, ...answer.json<{ error: object }>().error }
    }
    const long = 'x'.repeat(501)
    expect(await errorOf(`search=${long}`)).toMatchObject({ status: 400, param: 'search' })
    expect(await errorOf('search=%00')).toMatchObject({ status: 400, param: 'search' })
    expect(await errorOf('search=a&scope=all')).toMatchObject({ status: 400, param: 'scope' })
    expect(await errorOf('search=a&after=conv_0000000000000000')).toMatchObject({ code: 'invalid_cursor' })
  })
})
