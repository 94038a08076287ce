import { z } from 'zod'
import { flag, integer } from '../../platform/config.ts'

/** The settings of conversations (contract 8.11). */
export const conversationsConfig = z.object({
  CONVERSATION_SHARING_ENABLED: flag(false),
  CONVERSATION_MAX_BRANCHES: integer(500, { min: 1, max: 10_000 }),
})

/** The settings, parsed. */
export type ConversationsSettings = z.output<typeof conversationsConfig>
