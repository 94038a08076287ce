import { z } from 'zod'
import type { ApiKeyFieldsFragment } from '../operations.generated.ts'

/** The fields of a key: never its secret. */
export const keyFields = z.object({
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

export const exampleKey: z.output<typeof keyFields> = {
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

/** Contract 1.3: an API key on the wire. */
export const keyResource = keyFields.meta({ id: 'ApiKey', examples: [exampleKey] })

export function keyJson(key: ApiKeyFieldsFragment): z.output<typeof keyResource> {
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
