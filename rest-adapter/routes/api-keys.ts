import { z } from 'zod'
import {
  type ApiKeyFieldsFragment,
  ApiKeysDocument,
  CreateApiKeyDocument,
  RevokeApiKeyDocument,
} from '../operations.generated.ts'
import { type Route, route } from '../route.ts'
import { boundedInt, dual, dualOf, metaSchema } from '../shapes.ts'

const tag = 'API keys'

const span = z.number().int().min(1).nullish()

const createBody = z.object({
  name: z.string().describe('What to call the key.'),
  expires_in_days: span.describe(
    'How many days it works; more than is allowed counts as that. 90 by default.',
  ),
  expires_in: span.describe('The same in seconds. `expires_in_days` wins.'),
  scopes: z.array(z.string()).nullish().describe('`read` and `write` by default.'),
})

const keyFields = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  suffix: z.string(),
  status: z.enum(['active', 'expired', 'revoked']),
  is_active: z.boolean(),
  scopes: z.array(z.string()),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().optional(),
  last_used_at: z.iso.datetime().optional(),
})

const exampleKey: z.output<typeof keyFields> = {
  id: '294c0cd9-caa7-4329-b414-ad9cc67e1ed4',
  name: 'laptop',
  prefix: 'sk_live',
  suffix: '9d24',
  status: 'active',
  is_active: true,
  scopes: ['read', 'write'],
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-04-01T00:00:00.000Z',
}

const keyResource = keyFields.meta({ id: 'ApiKey', examples: [exampleKey] })

const createdKeyResource = keyFields
  .extend({ key: z.string().describe('The secret. It is told only here.') })
  .meta({
    id: 'CreatedApiKey',
    examples: [{ ...exampleKey, key: 'sk_live_0b94e37f80c3c7a39772dbb75079a31b2aea6ae803929d24' }],
  })

/** Contract 1.3: each of these is also at `/llm/auth/api-keys` and `/v1/auth/api-keys`. */
export const apiKeyRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/auth/api-keys',
    summary: 'Make an API key',
    tag,
    status: 201,
    body: createBody,
    examples: { laptop: { name: 'laptop', expires_in_days: 90 } },
    operation: CreateApiKeyDocument,
    variables: ({ body: { name, scopes, expires_in_days, expires_in } }) => ({
      input: { name, scopes, expiresInDays: boundedInt(expires_in_days), expiresIn: boundedInt(expires_in) },
    }),
    present: ({ createApiKey: { apiKey, key } }, { context }, response) => {
      response.setHeader('Cache-Control', 'no-store')
      return dual({ ...keyJson(apiKey), key }, context.requestId)
    },
    response: dualOf(createdKeyResource),
  }),
  route({
    method: 'get',
    path: '/auth/api-keys',
    summary: 'List your API keys',
    tag,
    operation: ApiKeysDocument,
    variables: () => ({}),
    present: ({ apiKeys }, { context }) => {
      const items = apiKeys.map(keyJson)
      return {
        object: 'list' as const,
        items,
        data: items,
        meta: { request_id: context.requestId, api_version: 'v1' as const },
      }
    },
    response: z.object({
      object: z.literal('list'),
      items: z.array(keyResource),
      data: z.array(keyResource),
      meta: metaSchema,
    }),
  }),
  route({
    method: 'delete',
    path: '/auth/api-keys/:id',
    summary: 'Revoke an API key',
    tag,
    status: 204,
    operation: RevokeApiKeyDocument,
    variables: ({ params }) => ({ id: params.id ?? '' }),
    present: () => undefined,
  }),
]

function keyJson(key: ApiKeyFieldsFragment): z.output<typeof keyResource> {
  const status = key.status.toLowerCase() as Lowercase<typeof key.status>
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    suffix: key.suffix,
    status,
    is_active: status === 'active',
    scopes: [...key.scopes],
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    ...(key.revokedAt === null ? {} : { revoked_at: key.revokedAt }),
    ...(key.lastUsedAt === null ? {} : { last_used_at: key.lastUsedAt }),
  }
}
