import { z } from 'zod'

/** What an answer tells of the conversation that it belongs to (contract 2.1). */
export const conversationStub = z
  .object({ id: z.string(), title: z.string().nullable() })
  .meta({ id: 'ConversationReference' })

/** The conversation of an answer. */
export type ConversationStub = z.output<typeof conversationStub>
