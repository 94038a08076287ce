import type { SharedServer } from './shared-server.ts'

/** One answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; a failing parse fails the test. */
  json<T = Record<string, unknown>>(): T
}

/** A caller with a credential of its own. */
export interface TestClient {
  readonly token: string
  readonly headers: Readonly<Record<string, string>>
  get(path: string): Promise<Answer>
  post(path: string, body?: unknown): Promise<Answer>
  patch(path: string, body: unknown): Promise<Answer>
  delete(path: string): Promise<Answer>
  /** Runs a GraphQL operation; the result with its errors. */
  graphql<T = Record<string, unknown>>(
    query: string,
    variables?: object,
  ): Promise<{ data: T; errors?: { message: string; extensions: Record<string, unknown> }[] }>
}

/** Sends a request and reads the answer. Objects are sent as JSON, everything else as it is. */
export async function send(url: string, init: RequestInit & { json?: unknown } = {}): Promise<Answer> {
  const { json, ...rest } = init
  const response = await fetch(url, {
    ...rest,
    ...(json === undefined
      ? {}
      : { body: JSON.stringify(json), headers: { 'content-type': 'application/json', ...rest.headers } }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
}

/** A fresh guest. */
export async function guest(server: Pick<SharedServer, 'url'>): Promise<TestClient> {
  const login = await send(`${server.url}/llm/auth/guest-login`, { method: 'POST' })
  return clientOf(server, login.json<{ access_token: string }>().access_token)
}

/** A caller with this token or key. */
export function clientOf(server: Pick<SharedServer, 'url'>, token: string): TestClient {
  const headers = { authorization: `Bearer ${token}` }
  const call = (method: string) => (path: string, json?: unknown) =>
    send(`${server.url}${path}`, { method, headers, ...(json === undefined ? {} : { json }) })
  return {
    token,
    headers,
    get: call('GET'),
    post: call('POST'),
    patch: call('PATCH'),
    delete: call('DELETE'),
    async graphql(query, variables = {}) {
      const answer = await send(`${server.url}/graphql`, {
        method: 'POST',
        headers,
        json: { query, variables },
      })
      return answer.json()
    },
  }
}
