import { z } from 'zod'
import { ApiKeyOwnerDocument, UserInfoDocument } from '../operations.generated.ts'
import { type Route, route } from '../route.ts'

const tag = 'Authentication'

/** OpenID Connect's standard claims, as far as they are known. */
const userInfo = z.object({
  sub: z.string(),
  preferred_username: z.string().optional(),
  email: z.string().optional(),
  email_verified: z.boolean(),
  name: z.string().optional(),
  given_name: z.string().optional(),
  family_name: z.string().optional(),
  picture: z.string().optional(),
  roles: z.array(z.string()),
  groups: z.array(z.string()),
})

const exampleUser = '7912b317-c0b5-432d-8020-10e910b0aebb'

const validToken = z.object({ valid: z.literal(true), user_info: userInfo }).meta({
  examples: [
    {
      valid: true,
      user_info: {
        sub: exampleUser,
        preferred_username: 'ada',
        email: 'ada@example.com',
        email_verified: true,
        name: 'Ada Lovelace',
        given_name: 'Ada',
        family_name: 'Lovelace',
        roles: ['user'],
        groups: ['standard'],
      },
    },
  ],
})

const keyOwnerFields = z.object({
  user_id: z.string(),
  subject: z.string(),
  username: z.string().nullable(),
  email: z.string().nullable(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  roles: z.array(z.string()),
})

const keyOwner = keyOwnerFields.meta({
  examples: [
    {
      user_id: exampleUser,
      subject: exampleUser,
      username: 'ada',
      email: 'ada@example.com',
      first_name: 'Ada',
      last_name: 'Lovelace',
      roles: ['user'],
    },
  ],
})

/** Contract 1.2: what other services ask about a caller's credential. */
export const validationRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/auth/validate',
    summary: 'Tell whether an access token is valid, and whose it is',
    tag,
    operation: UserInfoDocument,
    variables: () => ({}),
    present: ({ me }, { context }) => ({
      valid: true as const,
      user_info: withoutNulls({
        sub: context.actor?.subject ?? '',
        preferred_username: me.username,
        email: me.email,
        email_verified: me.emailVerified,
        name: me.name,
        given_name: namesOf(me.name).first,
        family_name: namesOf(me.name).last,
        picture: me.picture,
        roles: me.roles.map((role) => role.toLowerCase()),
        groups: me.groups,
      }),
    }),
    response: validToken,
  }),
  route({
    method: 'post',
    path: '/auth/validate-api-key',
    summary: 'Tell a service of the platform whose an API key is',
    tag,
    access: 'public',
    body: z.object({ api_key: z.string().min(1).describe('The API key in question.') }),
    examples: { key: { api_key: 'sk_live_0b94e37f80c3c7a39772dbb75079a31b2aea6ae803929d24' } },
    headers: { 'X-Service-Key': 'What proves that a service of the platform asks.' },
    failures: ['invalid_api_key', 'route_not_found'],
    operation: ApiKeyOwnerDocument,
    variables: ({ body, request }) => ({
      input: { apiKey: body.api_key, serviceKey: request.get('X-Service-Key') ?? null },
    }),
    present: ({ apiKeyOwner: { id, username, email, name, roles } }, _input, response) => {
      response.setHeader('Cache-Control', 'no-store')
      return {
        user_id: id,
        subject: id,
        username,
        email,
        first_name: namesOf(name).first,
        last_name: namesOf(name).last,
        roles: roles.map((role) => role.toLowerCase()),
      }
    },
    response: keyOwner,
  }),
]

/** The platform keeps one name: its last word is taken for the family's. */
function namesOf(name: string | null): { first: string | null; last: string | null } {
  const words = name?.split(/\s+/).filter(Boolean) ?? []
  if (words.length < 2) return { first: words[0] ?? null, last: null }
  return { first: words.slice(0, -1).join(' '), last: words.at(-1) ?? null }
}

function withoutNulls(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
}
