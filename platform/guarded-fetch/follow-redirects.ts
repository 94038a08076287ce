import { type Deadline, orAborted, startDeadline } from './deadline.ts'
import { exchange } from './exchange.ts'
import { hasCredentials, leadsAstray, notAUrl, tooManyRedirects } from './fetch-failures.ts'
import type { GuardedRequest, GuardedResponse } from './guarded-fetch.ts'
import { type Judgement, judgeTarget } from './judged-target.ts'

const maxRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])

/** What another origin may know of a request: anything else could be a credential. */
const harmlessHeaders = new Set(['accept', 'accept-language', 'user-agent'])

/** Does what `GuardedFetch.fetch` promises. */
export async function fetchGuarded(
  given: string,
  request: GuardedRequest,
  judgement: Judgement,
): Promise<GuardedResponse> {
  const url = startingUrl(given, request.param)
  const deadline = startDeadline(request)
  try {
    const response = await follow(url, request, { judgement, deadline })
    response.body.once('close', deadline.end)
    return response
  } catch (error) {
    const failure = deadline.failure(error)
    deadline.end()
    throw failure
  }
}

function startingUrl(given: string, param: string | null): URL {
  const url = URL.parse(given)
  if (!url || !isHttp(url)) throw notAUrl(param)
  if (carriesCredentials(url)) throw hasCredentials(param)
  return url
}

async function follow(
  start: URL,
  request: GuardedRequest,
  { judgement, deadline }: { judgement: Judgement; deadline: Deadline },
): Promise<GuardedResponse> {
  let url = start
  let asked = request
  for (let followed = 0; ; followed++) {
    const target = await orAborted(judgeTarget(url, judgement), deadline.signal)
    const response = await exchange(target, asked, deadline)
    const next = redirectOf(response, url, request)
    if (next === null) return response
    response.body.destroy()
    if (next === 'astray') throw leadsAstray(request.param)
    if (followed === maxRedirects) throw tooManyRedirects(request.param, maxRedirects)
    if (next.origin !== url.origin) asked = withoutCredentials(asked)
    url = next
  }
}

/** Where an answer sends its reader: null where it is the last, `astray` for what is not fetched at all. */
function redirectOf(
  { status, headers }: GuardedResponse,
  from: URL,
  { method = 'GET' }: GuardedRequest,
): URL | 'astray' | null {
  if (!redirects.has(status) || (method !== 'GET' && method !== 'HEAD')) return null
  const [location] = [headers.location ?? []].flat()
  if (location === undefined) return null
  const next = URL.parse(location, from)
  return next && isHttp(next) && !carriesCredentials(next) ? next : 'astray'
}

function withoutCredentials(request: GuardedRequest): GuardedRequest {
  const kept = Object.entries(request.headers ?? {}).filter(([name]) =>
    harmlessHeaders.has(name.toLowerCase()),
  )
  return { ...request, headers: Object.fromEntries(kept) }
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}

function carriesCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}
