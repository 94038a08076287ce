import { z } from 'zod'
import { type ErrorCode, errorCatalogue } from '../../platform/errors.ts'
import type { RouteDescription } from '../route.ts'
import { failureHeaders } from './headers.ts'

const types = [...new Set(errorCatalogue.map(({ type }) => type))]
const codes = errorCatalogue.map(({ code }) => code)

/** The body of every failure (contract 8.2). */
export const errorSchema = z
  .object({
    error: z.object({
      type: z.enum(types).describe('The kind of failure; follows from the status.'),
      code: z.enum(codes).describe('What to decide by. More codes may come.'),
      message: z.string().describe('What happened, for people.'),
      param: z
        .string()
        .nullable()
        .describe('The field or parameter that is at fault, as `messages[0].role`.'),
      request_id: z.string().describe('The same as the header `X-Request-Id`.'),
      limit: z.number().optional().describe('With 429 by us: what there is of the limit that was reached.'),
      remaining: z.number().optional().describe('What is left of it.'),
      reset_at: z.number().optional().describe('When all of it is there again, in Unix seconds.'),
      retry_after: z.number().optional().describe('Seconds after which it makes sense to try again.'),
    }),
    message: z.string().describe('The same as `error.message`, for clients that look here.'),
  })
  .meta({ id: 'Error', description: 'The body of every failure.' })

interface StatusText {
  /** The name of the component. */
  readonly name: string
  readonly description: string
  readonly example: { readonly code: ErrorCode; readonly message: string; readonly param?: string }
}

/** The statuses that a client can meet and what each says. */
const statuses: Readonly<Record<number, StatusText>> = {
  400: {
    name: 'BadRequest',
    description: 'Something about the request is not valid; `param` names it.',
    example: { code: 'missing_parameter', message: "Parameter 'name' is required.", param: 'name' },
  },
  401: {
    name: 'Unauthorized',
    description: 'There is no credential, or not a good one.',
    example: {
      code: 'missing_credentials',
      message: 'Send a bearer token (Authorization) or an API key (X-API-Key).',
    },
  },
  403: {
    name: 'Forbidden',
    description: 'Who asks may not do this.',
    example: { code: 'admin_required', message: 'This is for administrators.' },
  },
  404: {
    name: 'NotFound',
    description: 'It does not exist, or it belongs to somebody else: the two cannot be told apart.',
    example: { code: 'not_found', message: 'There is no such object.' },
  },
  409: {
    name: 'Conflict',
    description: 'It is already there, or the `Idempotency-Key` was used for another request.',
    example: { code: 'idempotency_conflict', message: 'This key was used for another request.' },
  },
  413: {
    name: 'PayloadTooLarge',
    description: 'The body is too large.',
    example: { code: 'payload_too_large', message: 'The body is too large.' },
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is of a type that this route does not read.',
    example: { code: 'unsupported_media_type', message: 'Send the body as application/json.' },
  },
  416: {
    name: 'RangeNotSatisfiable',
    description: 'None of the bytes that were asked for are there; `Content-Range` tells how many there are.',
    example: { code: 'range_not_satisfiable', message: 'There are 1024 bytes, and none in this range.' },
  },
  429: {
    name: 'TooManyRequests',
    description: 'Too much was asked for in too short a time, here or at the provider.',
    example: { code: 'rate_limited', message: 'Too many requests. Try again in a moment.' },
  },
  500: {
    name: 'InternalError',
    description: 'A fault of the platform.',
    example: {
      code: 'internal',
      message: 'Something went wrong on our side. Give the request id when you report it.',
    },
  },
  501: {
    name: 'NotImplemented',
    description: 'The platform does not do this.',
    example: { code: 'not_implemented', message: 'The platform does not do this.' },
  },
  502: {
    name: 'BadGateway',
    description: 'The provider, or the store of media, failed.',
    example: { code: 'provider_error', message: 'The provider of this model failed.' },
  },
  503: {
    name: 'ServiceUnavailable',
    description: 'It cannot be done at the moment.',
    example: { code: 'service_unavailable', message: 'This can’t be done at the moment. Try again.' },
  },
  504: {
    name: 'GatewayTimeout',
    description: 'The provider took too long.',
    example: { code: 'upstream_timeout', message: 'The provider of this model took too long.' },
  },
}

/** The failures that the operations of `routes` refer to, as components: one for each status, with the codes that it can have. */
export function failureResponses(
  routes: readonly RouteDescription[],
  schema: unknown,
): Record<string, unknown> {
  const reachable = new Set(routes.flatMap((route) => Object.keys(failuresOf(route))))
  const texts = Object.entries(statuses).filter(([status]) => reachable.has(status))
  const responses = texts.map(([status, { name, description, example }]) => [
    name,
    {
      description: `${description} Codes: ${codesOf(Number(status))}.`,
      headers: failureHeaders(Number(status)),
      content: { 'application/json': { schema, example: envelope(example) } },
    },
  ])
  return Object.fromEntries(responses)
}

/** What a route can fail with, as references by status. */
export function failuresOf(route: RouteDescription): Record<string, unknown> {
  const reachable = [...new Set([...general(route), ...route.failures.map(statusOf)])].sort((a, b) => a - b)
  const known = reachable.flatMap((status) => {
    const text = statuses[status]
    return text ? [[status, { $ref: `#/components/responses/${text.name}` }] as const] : []
  })
  return Object.fromEntries(known)
}

/** What follows from a route's access, parameters and body. */
function general({ access, body, query, path, method }: RouteDescription): number[] {
  const hasParameters = /[:*]/.test(path)
  return [
    ...(body || query || hasParameters ? [400] : []),
    ...(access === 'authenticated' ? [401, 503] : []),
    ...(hasParameters ? [404] : []),
    ...(method === 'post' && access === 'authenticated' ? [409] : []),
    ...(body ? [413, 415] : []),
    429,
    500,
  ]
}

function statusOf(wanted: ErrorCode): number {
  return errorCatalogue.find(({ code }) => code === wanted)?.status ?? 500
}

function codesOf(wanted: number): string {
  return errorCatalogue
    .filter(({ status }) => status === wanted)
    .map(({ code }) => `\`${code}\``)
    .join(', ')
}

function envelope({ code, message, param = undefined }: StatusText['example']): z.output<typeof errorSchema> {
  const type = errorCatalogue.find((kind) => kind.code === code)?.type ?? 'internal_error'
  return {
    error: { type, code, message, param: param ?? null, request_id: 'req_8irno600lfn2g9jymmog3vsk' },
    message,
  }
}
