import type { Request, Response } from 'express'
import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { bearerOf } from '../middleware/credentials.ts'
import {
  GuestLoginDocument,
  LogoutDocument,
  RefreshSessionDocument,
  RevokeTokenDocument,
  UpgradeGuestDocument,
} from '../operations.generated.ts'
import { handlerRoute, type Route, type RouteInput, route } from '../route.ts'
import { signInRoutes } from './sign-in.ts'
import { validationRoutes } from './validation.ts'

const tag = 'Authentication'

const refreshCookie = 'refresh_token'
const clearedRefreshCookie = `${refreshCookie}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=None`

const exampleUser = '7912b317-c0b5-432d-8020-10e910b0aebb'
const exampleGuest = 'guest-5b571826-3211-4442-a686-0a9e4afdd716'
const exampleRefreshToken = 'jrt_RdX3sRh2j_2ZfZ1wSsTpqmMYKsogCuzfGNQ68XsJa8I'
const exampleTokens = {
  access_token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI3OTEyYjMxNyJ9.c2lnbmF0dXJl',
  refresh_token: exampleRefreshToken,
  token_type: 'Bearer',
  expires_in: 300,
}

const tokenFields = z.object({
  access_token: z.string().describe('Send it as `Authorization: Bearer …`.'),
  refresh_token: z.string().describe('For new tokens, once.'),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int().describe('Seconds that the access token is good for.'),
})

const sessionBody = z
  .object({ refresh_token: z.string().nullish().describe('The refresh token.') })
  .meta({ examples: [{ refresh_token: exampleRefreshToken }] })

const guestLoginResponse = tokenFields
  .extend({ user_id: z.string(), username: z.string(), principal_id: z.string() })
  .meta({
    id: 'GuestSession',
    examples: [{ ...exampleTokens, user_id: exampleUser, username: exampleGuest, principal_id: exampleUser }],
  })

const refreshResponse = tokenFields
  .extend({ expires_at: z.iso.datetime() })
  .meta({ id: 'Session', examples: [{ ...exampleTokens, expires_at: '2026-01-01T00:05:00.000Z' }] })

/** Contract 1.2: each of these is also at `/llm/auth/…` and `/v1/auth/…`. */
export const authRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/auth/guest-login',
    summary: 'Sign in as a new guest',
    description:
      'Needs nothing. A guest may do what any user may, with short-lived tokens, and can be upgraded later.',
    tag,
    access: 'public',
    status: 201,
    body: z.object({}),
    bodyOptional: true,
    operation: GuestLoginDocument,
    variables: () => ({}),
    present: ({ guestLogin }, _input, response) => {
      neverStored(response)
      return {
        access_token: guestLogin.accessToken,
        refresh_token: guestLogin.refreshToken,
        token_type: guestLogin.tokenType,
        expires_in: guestLogin.expiresIn,
        user_id: guestLogin.user.id,
        username: guestLogin.user.username,
        principal_id: guestLogin.user.id,
      }
    },
    response: guestLoginResponse,
  }),
  refreshRoute('/auth/refresh', 'refreshSession'),
  refreshRoute('/auth/refresh-token', 'refreshToken'),
  route({
    method: 'post',
    path: '/auth/revoke',
    summary: 'Make a token useless',
    tag,
    access: 'public',
    body: z.object({
      token: z.string().nullish().describe('A refresh token or an access token.'),
      refresh_token: z.string().nullish().describe('Another name of `token`.'),
      token_type_hint: z.string().nullish().describe('Not needed: tokens can be told apart.'),
    }),
    bodyOptional: true,
    examples: { refresh_token: { token: exampleRefreshToken } },
    operation: RevokeTokenDocument,
    variables: ({ body }) => ({ input: { token: body.token || body.refresh_token || missing('token') } }),
    present: () => ({ message: 'Token revoked', revoked: true as const }),
    response: z.object({
      message: z.string().meta({ examples: ['Token revoked'] }),
      revoked: z.literal(true),
    }),
  }),
  ...(['get', 'post'] as const).map(logoutRoute),
  route({
    method: 'post',
    path: '/auth/upgrade',
    summary: 'Make a guest an ordinary user',
    tag,
    body: z.object({
      email: z.string().describe('The address of the user.'),
      username: z.string().nullish(),
      full_name: z.string().nullish(),
    }),
    examples: { upgrade: { email: 'ada@example.com', username: 'ada', full_name: 'Ada Lovelace' } },
    failures: ['already_exists'],
    operation: UpgradeGuestDocument,
    variables: ({ body: { email, username, full_name } }) => ({
      input: { email, username, name: full_name },
    }),
    present: () => ({ status: 'upgraded' as const }),
    response: z.object({ status: z.literal('upgraded') }),
  }),
  ...signInRoutes,
  ...validationRoutes,
]

function refreshRoute(path: string, operationId: string): Route {
  return route({
    method: 'post',
    path,
    operationId,
    summary: 'Exchange a refresh token for new tokens',
    description:
      'The refresh token is taken from the cookie `refresh_token`, the body or the `Authorization` header, and is used up. Using one twice ends its session.',
    failures: ['invalid_token'],
    tag,
    access: 'public',
    body: sessionBody,
    bodyOptional: true,
    operation: RefreshSessionDocument,
    variables: ({ body, request }) => ({
      input: {
        refreshToken:
          body.refresh_token || cookieOf(request) || bearerOf(request.headers) || missing('refresh_token'),
      },
    }),
    present: ({ refreshSession }, _input, response) => {
      neverStored(response)
      return {
        access_token: refreshSession.accessToken,
        refresh_token: refreshSession.refreshToken,
        token_type: refreshSession.tokenType,
        expires_in: refreshSession.expiresIn,
        expires_at: refreshSession.expiresAt,
      }
    },
    response: refreshResponse,
  })
}

/** The cookie is cleared even when the session can't be ended. */
function logoutRoute(method: 'get' | 'post'): Route {
  return handlerRoute({
    method,
    path: '/auth/logout',
    operationId: method === 'post' ? 'logout' : 'logoutByLink',
    summary: 'End a session',
    tag,
    access: 'public',
    ...(method === 'post' ? { body: sessionBody, bodyOptional: true } : {}),
    async handle({ body, request, context }: RouteInput<z.output<typeof sessionBody> | undefined>, response) {
      response.setHeader('Set-Cookie', clearedRefreshCookie)
      const token = cookieOf(request) || body?.refresh_token || bearerOf(request.headers)
      await context.graph.execute(LogoutDocument, { input: { token } }, context)
      response.json({ status: 'logged out' })
    },
    response: z.object({ status: z.literal('logged out') }),
  })
}

function neverStored(response: Response): void {
  response.setHeader('Cache-Control', 'no-store')
}

/** @throws AppError `missing_parameter` */
function missing(param: string): never {
  throw new AppError('missing_parameter', `Parameter '${param}' is required.`, { param })
}

function cookieOf({ headers }: Request): string | null {
  const pairs = headers.cookie?.split(';').map((pair) => pair.trim().split('=')) ?? []
  const value = pairs
    .find(([name]) => name === refreshCookie)
    ?.slice(1)
    .join('=')
  return value || null
}
