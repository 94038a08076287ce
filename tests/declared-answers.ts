import { afterEach, expect } from '@jest/globals'
import { routes } from '../rest-adapter/routes/index.ts'

/**
 * Holds every JSON answer that an end-to-end test gets by `fetch`, its SDKs included, against what the route declares: the
 * declaration is what the OpenAPI document is made from. A success that is none of the declared one fails the test that saw it.
 */

const pending: Promise<string | null>[] = []

const plainFetch = globalThis.fetch
globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init)
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET')
  if (response.ok && isJson(response)) pending.push(departure(method.toLowerCase(), response.clone()))
  return response
}

afterEach(async () => {
  const departures = await Promise.all(pending.splice(0))
  expect(departures.filter((text) => text !== null)).toEqual([])
})

function isJson(response: Response): boolean {
  return /^application\/json\b/i.test(response.headers.get('content-type') ?? '')
}

/** What an answer has that its route does not declare, or the other way round; null where all is well. */
async function departure(method: string, response: Response): Promise<string | null> {
  const path = canonical(new URL(response.url).pathname)
  const route = routes.find((one) => one.method === method && matcher(one.path).test(path))
  if (!route) return null
  const where = `${method} ${path}`
  if (![route.status, route.otherStatus].includes(response.status))
    return `${where} answered ${response.status}, not ${route.status}`
  const text = await response.text().catch(() => null)
  // The test has left before the end.
  if (text === null) return null
  if (!route.response) return `${where} declares no body`
  const parsed = route.response.safeParse(JSON.parse(text))
  return parsed.success ? null : `${where}: ${parsed.error.message}`
}

/** The one spelling of a path that the route table has (contract 0.1). */
function canonical(path: string): string {
  return path.replace(/^\/(llm|responses?|media|mcp)(?=\/)/, '').replace(/^\/v1\/auth(?=\/)/, '/auth')
}

const matchers = new Map<string, RegExp>()

function matcher(path: string): RegExp {
  const known = matchers.get(path)
  if (known) return known
  const made = new RegExp(`^${path.replace(/:[a-z_]+/g, '[^/]+').replace(/\*[a-z_]+/g, '.+')}$`)
  matchers.set(path, made)
  return made
}
