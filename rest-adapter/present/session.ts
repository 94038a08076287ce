import { z } from 'zod'
import type { SessionFieldsFragment } from '../operations.generated.ts'
import { unixSeconds } from '../shapes.ts'

const sessionFields = z.object({
  id: z.string(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: z.number().int(),
  expires_at: z.number().int(),
  revoked_at: z.number().int().nullable(),
})

export const exampleSession: z.output<typeof sessionFields> = {
  id: 'b6f1c9de-3c6a-4b7e-9f35-0a8f2d5e7c11',
  ip: '203.0.113.7',
  user_agent: 'Mozilla/5.0',
  created_at: 1767225600,
  expires_at: 1769817600,
  revoked_at: null,
}

/** A session, without its tokens. */
export const sessionResource = sessionFields.meta({ id: 'ExportedSession', examples: [exampleSession] })

export function sessionJson(session: SessionFieldsFragment): z.output<typeof sessionResource> {
  const { id, ip, userAgent, createdAt, expiresAt, revokedAt } = session
  return {
    id,
    ip,
    user_agent: userAgent,
    created_at: unixSeconds(createdAt),
    expires_at: unixSeconds(expiresAt),
    revoked_at: revokedAt === null ? null : unixSeconds(revokedAt),
  }
}
