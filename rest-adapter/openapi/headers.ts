import type { RouteDescription } from '../route.ts'

const text = (description: string, example: string) => ({ description, schema: { type: 'string' }, example })
const whole = (description: string, example: number) => ({
  description,
  schema: { type: 'integer' },
  example,
})

/** The headers of answers (contract 8.4), as components. */
export const responseHeaders = {
  'X-Request-Id': text(
    'The id of this request: yours where you sent one. Give it when you report a fault.',
    'req_8irno600lfn2g9jymmog3vsk',
  ),
  'X-Auth-Method': text('What proved who you are: `jwt` or `api_key`.', 'jwt'),
  'X-RateLimit-Limit': whole(
    'How many requests a minute allows. Absent where no limit is in force, as in development.',
    100,
  ),
  'X-RateLimit-Remaining': whole('How many of them are left.', 99),
  'X-RateLimit-Reset': whole('When all of them are there again, in unix seconds.', 1767225600),
  'Retry-After': whole('Seconds after which it makes sense to try again.', 1),
  'X-Applied-Prompt-Modules': text(
    'The modules of prompt orchestration that had something to say, in their order. Absent where prompts are not orchestrated.',
    'timing,user_profile',
  ),
  'Idempotent-Replayed': text(
    '`true` where this is the stored answer to an earlier request with the same key.',
    'true',
  ),
} as const

type HeaderName = keyof typeof responseHeaders

/** Request headers that many routes read, as components. */
export const headerParameters = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    required: false,
    description: 'An id of your own for this request, echoed and logged. Up to 128 printable characters.',
    schema: { type: 'string', maxLength: 128 },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Makes repeating this request safe: the same key with the same body gets the first answer again for 24 hours, streams included; with another body it is refused with 409. Ignored without credentials.',
    schema: { type: 'string', maxLength: 255 },
  },
} as const

const limits: readonly HeaderName[] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']

/** The headers of a route's success, as references. */
export function successHeaders({ method, access, events }: RouteDescription): Record<string, unknown> {
  return references([
    'X-Request-Id',
    ...(access === 'authenticated' ? (['X-Auth-Method'] as const) : []),
    ...limits,
    ...(events ? (['X-Applied-Prompt-Modules'] as const) : []),
    ...(method === 'post' && access === 'authenticated' ? (['Idempotent-Replayed'] as const) : []),
  ])
}

/** The headers of a failure with this status, as references. */
export function failureHeaders(status: number): Record<string, unknown> {
  return references([
    'X-Request-Id',
    ...(status === 429 ? limits : []),
    ...(status === 429 || status === 503 ? (['Retry-After'] as const) : []),
  ])
}

/** The request headers that a route takes: general ones as references, then its own. */
export function requestHeaders({ method, headers }: RouteDescription): unknown[] {
  return [
    { $ref: '#/components/parameters/RequestId' },
    ...(method === 'post' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    })),
  ]
}

function references(names: readonly HeaderName[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}
