import { z } from 'zod'
import { ApiKeysDocument, CreateApiKeyDocument, RevokeApiKeyDocument } from '../operations.generated.ts'
import { exampleKey, keyFields, keyJson, keyResource } from '../present/api-key.ts'
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
