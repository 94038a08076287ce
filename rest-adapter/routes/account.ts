import { z } from 'zod'
import { DeleteAccountDocument, MeDocument, type MeQuery } from '../operations.generated.ts'
import { type Route, type RouteInput, route } from '../route.ts'
import { deletedOf, dual, dualOf } from '../shapes.ts'

const tag = 'Authentication'

const exampleUser = '7912b317-c0b5-432d-8020-10e910b0aebb'
const exampleGuest = 'guest-5b571826-3211-4442-a686-0a9e4afdd716'

const meFields = z.object({
  id: z.string(),
  username: z.string().optional(),
  email: z.string().optional(),
  subject: z.string(),
  auth_method: z.enum(['jwt', 'api_key']),
  name: z.string(),
  roles: z.array(z.enum(['admin', 'user', 'guest'])),
  is_admin: z.boolean(),
})

const meResource = meFields.meta({
  id: 'Caller',
  examples: [
    {
      id: exampleUser,
      username: exampleGuest,
      email: `${exampleGuest}@temp.jan.ai`,
      subject: exampleUser,
      auth_method: 'jwt',
      name: exampleGuest,
      roles: ['guest'],
      is_admin: false,
    },
  ],
})

const deleteQuery = z.object({
  confirm: z
    .string()
    .describe('The id of the account (`id` of `GET /v1/users/me`), so that nothing is lost by a slip.'),
})

/** The caller's own account. */
export const accountRoutes: readonly Route[] = [
  meRoute('/auth/me', 'getMe'),
  meRoute('/v1/users/me', 'getCurrentUser'),
  route({
    method: 'delete',
    path: '/v1/users/me',
    operationId: 'deleteAccount',
    summary: 'Delete your account and all that belongs to it',
    description:
      'Tokens and API keys stop to work at once; conversations, projects and everything else are erased within moments. There is no way back. Needs an access token: an API key can’t do it.',
    failures: ['permission_denied'],
    tag,
    query: deleteQuery,
    operation: DeleteAccountDocument,
    variables: ({ query: { confirm } }) => ({ input: { confirm } }),
    present: ({ deleteAccount: { id } }) => ({ id, object: 'user.deleted' as const, deleted: true as const }),
    response: deletedOf('user.deleted', exampleUser),
  }),
]

function meRoute(path: string, operationId: string): Route {
  return route({
    method: 'get',
    path,
    operationId,
    summary: 'Who the credentials speak for',
    tag,
    operation: MeDocument,
    variables: () => ({}),
    present: ({ me }, { context }) => dual(meJson(me, context.actor), context.requestId),
    response: dualOf(meResource),
  })
}

function meJson(
  { id, username, email, name, roles, isAdmin }: MeQuery['me'],
  actor: RouteInput['context']['actor'],
) {
  return {
    id,
    ...(username === null ? {} : { username }),
    ...(email === null ? {} : { email }),
    subject: actor?.subject ?? id,
    auth_method: actor?.method ?? 'jwt',
    name: name ?? username ?? '',
    roles: roles.map((role) => role.toLowerCase()),
    is_admin: isAdmin,
  }
}
