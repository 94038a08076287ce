import { z } from 'zod'
import { flag } from '../../platform/config.ts'

/** The settings of conversations (contract 8.11). */
export const conversationsConfig = z.object({
  CONVERSATION_SHARING_ENABLED: flag(false),
})

/** The settings, parsed. */
export type ConversationsSettings = z.output<typeof conversationsConfig>
