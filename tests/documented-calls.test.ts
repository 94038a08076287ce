import { beforeAll, describe, expect, it } from '@jest/globals'
import { type SharedServer, sharedTestServer } from './shared-server.ts'
import { runShell } from './shell.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

interface Answer extends Tokens {
  readonly object: string
  readonly data: readonly unknown[]
  readonly next_after: string | null
  readonly choices: readonly { readonly message: { readonly content: string } }[]
  readonly error: { readonly type: string }
}

// The commands of Jan Server's API document, letter by letter but for tokens, ids and the port.
describe('the calls of the API document', () => {
  let server: SharedServer
  let tokens: Tokens

  beforeAll(async () => {
    server = await sharedTestServer()
  }, 60_000)

  async function paste(command: string) {
    const { stdout, statuses } = await runShell(command.replaceAll('http://localhost:8000', server.url))
    return { body: stdout, status: statuses[0] }
  }
  async function pasteJson(command: string) {
    const { body, status } = await paste(command)
    return { status, json: JSON.parse(body) as Answer }
  }

  it('request a guest token', async () => {
    const { status, json } = await pasteJson('curl -X POST http://localhost:8000/llm/auth/guest-login')
    expect([200, 201]).toContain(status)
    tokens = json
    expect(tokens).toMatchObject({ expires_in: 300, token_type: 'Bearer' })
  })

  it('use the token in requests', async () => {
    const { status, json } = await pasteJson(`curl -H "Authorization: Bearer ${tokens.access_token}" \\
http://localhost:8000/v1/chat/completions`)
    expect({ status, object: json.object }).toEqual({ status: 200, object: 'list' })
  })

  it('use an API key', async () => {
    const { status } = await pasteJson(`curl -H "X-API-Key: ${server.adminKey}" \\
http://localhost:8000/v1/chat/completions`)
    expect(status).toBe(200)
  })

  it('ask a question', async () => {
    const { status, json } = await pasteJson(`curl -X POST http://localhost:8000/v1/chat/completions \\
-H "Authorization: Bearer ${tokens.access_token}" \\
-H "Content-Type: application/json" \\
-d '{
"model": "jan-v1-4b",
"messages": [
{"role": "user", "content": "Hello!"}
]
}'`)
    expect(status).toBe(200)
    expect(json.choices[0]?.message.content).toMatch(/\w/)
  })

  it('ask for a stream, with the content type that curl gives a form', async () => {
    const { status, body } = await paste(`curl -X POST http://localhost:8000/v1/chat/completions \\
-H "Authorization: Bearer ${tokens.access_token}" \\
-d '{"model":"jan-v1-4b","messages":[{"role":"user","content":"Hello!"}],"stream":true}'`)
    expect(status).toBe(200)
    const events = body.trim().split('\n\n')
    expect(events.length).toBeGreaterThan(3)
    expect(events.at(-1)).toBe('data: [DONE]')
    for (const event of events.slice(0, -1)) {
      expect(JSON.parse(event.replace(/^data: /, ''))).toMatchObject({ choices: expect.any(Array) })
    }
  })

  it('list the models', async () => {
    const { status, json } = await pasteJson(`curl -H "Authorization: Bearer ${tokens.access_token}" \\
http://localhost:8000/v1/models`)
    expect(status).toBe(200)
    expect(json.data.length).toBeGreaterThan(0)
  })

  it('page through conversations', async () => {
    const authorization = `-H "Authorization: Bearer ${tokens.access_token}"`
    for (const _ of [1, 2]) {
      await paste(
        `curl ${authorization} -H "Content-Type: application/json" -d '{}' http://localhost:8000/v1/conversations`,
      )
    }
    const first = await pasteJson(`curl "http://localhost:8000/v1/conversations?limit=1" ${authorization}`)
    expect(first.json).toMatchObject({
      data: [{ object: 'conversation' }],
      next_after: expect.stringMatching(/^conv_/),
    })
    const rest = await pasteJson(
      `curl "http://localhost:8000/v1/conversations?limit=10&after=${first.json.next_after}" ${authorization}`,
    )
    expect(rest.status).toBe(200)
    expect(rest.json).toMatchObject({ data: [{ object: 'conversation' }], next_after: null })
  })

  it('list conversations without a credential, and are told that one is missing', async () => {
    const { status, json } = await pasteJson(
      'curl "http://localhost:8000/v1/conversations?limit=10&after=conv_123"',
    )
    expect({ status, type: json.error.type }).toEqual({ status: 401, type: 'auth_error' })
  })

  it('refresh the tokens', async () => {
    const { status, json } = await pasteJson(`curl -X POST http://localhost:8000/llm/auth/refresh \\
-H "Content-Type: application/json" \\
-d '{"refresh_token": "${tokens.refresh_token}"}'`)
    expect(status).toBe(200)
    expect(json.access_token).not.toBe(tokens.access_token)
    tokens = json
  })

  it('revoke a token, which is then refused', async () => {
    const revoked = await paste(`curl -X POST http://localhost:8000/llm/auth/revoke \\
-H "Authorization: Bearer ${tokens.access_token}" \\
-H "Content-Type: application/json" \\
-d '{"token": "${tokens.access_token}"}'`)
    expect([200, 204]).toContain(revoked.status)
    const { status } = await pasteJson(`curl -H "Authorization: Bearer ${tokens.access_token}" \\
http://localhost:8000/v1/models`)
    expect(status).toBe(401)
  })
})
