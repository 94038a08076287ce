import { beforeAll, describe, expect, it } from '@jest/globals'
import { serverAudits } from 'graphql-http'
import { type SharedServer, sharedTestServer } from './shared-server.ts'

let server: SharedServer
beforeAll(async () => {
  server = await sharedTestServer()
}, 60_000)

/**
 * What CSRF prevention forbids on purpose: a browser can send these from any page without a preflight. All are MAYs.
 */
const forbiddenOnPurpose: readonly string[] = [
  '5A70', // GET of a form's media type
  'D6D5', // GET with variables, no preflight asked for
  '6A70', // the same, accepting application/json
]

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: async () => `${server.url}/graphql`, fetchFn: fetch })

  it('is audited in full', () => {
    expect(audits).toHaveLength(61)
  })

  for (const audit of audits) {
    it(`${audit.id}: ${audit.name}`, async () => {
      const result = await audit.fn()
      const reason = 'reason' in result ? result.reason : undefined
      if (forbiddenOnPurpose.includes(audit.id)) expect(audit.name).toMatch(/^MAY/)
      else expect({ status: result.status, reason }).toEqual({ status: 'ok', reason: undefined })
    })
  }

  it('answers a malformed body with 400 and a GraphQL error', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query": ',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'invalid_json' } }] })
  })

  it('answers a forged token with 401 before any field runs', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer forged' },
      body: JSON.stringify({ query: '{ me { id } }' }),
    })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'invalid_token' } }] })
  })

  it('shows Apollo Sandbox to browsers and lets hosted Sandbox in', async () => {
    const page = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('embeddable-sandbox')
    const preflight = await fetch(`${server.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://studio.apollographql.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://studio.apollographql.com')
  })

  it('serves GraphiQL from this machine alone', async () => {
    const page = await (await fetch(`${server.url}/graphql/graphiql`)).text()
    expect(page).toContain('YogaGraphiQL.renderYogaGraphiQL')
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/)
  })

  it('hides the operations that only the platform may call', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: '{ __schema { queryType { fields { name } } mutationType { fields { name } } } }',
      }),
    })
    const { data } = (await response.json()) as {
      data: { __schema: Record<'queryType' | 'mutationType', { fields: { name: string }[] }> }
    }
    const names = [...data.__schema.queryType.fields, ...data.__schema.mutationType.fields].map(
      ({ name }) => name,
    )
    expect(names).toContain('createChatCompletion')
    for (const hidden of [
      'verifyCredentials',
      'beginTurn',
      'finishTurn',
      'recordUsage',
      'turnContext',
      '_entities',
    ]) {
      expect(names).not.toContain(hidden)
    }
  })
})
