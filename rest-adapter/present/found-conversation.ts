import { z } from 'zod'
import type { SearchConversationsQuery } from '../operations.generated.ts'
import { conversationFields, conversationJson, exampleConversation } from './conversation.ts'

const match = z.object({
  item_id: z.string(),
  role: z.string().nullable(),
  snippet: z.string().describe('HTML: escaped, with what was searched for in `<mark>`.'),
})

/** A conversation in a list; where it was searched for, with what was found. */
export const foundConversationResource = conversationFields
  .extend({
    score: z.number().optional().describe('From 0 to 1; only of a search.'),
    highlighted_title: z
      .string()
      .nullable()
      .optional()
      .describe('The title as HTML: escaped, with what was searched for in `<mark>`; only of a search.'),
    matches: z
      .array(match)
      .optional()
      .describe('The best of its messages that match, at most three; only of a search.'),
  })
  .meta({ id: 'FoundConversation', examples: [exampleConversation] })

type Hit = SearchConversationsQuery['search']['nodes'][number]

export function foundConversationJson({
  conversation,
  score,
  title,
  matches,
}: Hit): z.output<typeof foundConversationResource> {
  return {
    ...conversationJson(conversation),
    score,
    highlighted_title: title,
    matches: matches.map(({ item, snippet }) => ({
      item_id: item.id,
      role: item.role?.toLowerCase() ?? null,
      snippet,
    })),
  }
}
