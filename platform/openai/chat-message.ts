import { z } from 'zod'

/** The roles that a message of a request may have; `function` is the forerunner of `tool`. */
export const chatRoles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const

/** Who speaks in a message. */
export type ChatRole = (typeof chatRoles)[number]

/** What the parts that every provider knows must have. */
const knownParts = new Map<string, z.ZodType>([
  ['text', z.looseObject({ text: z.string() })],
  [
    'image_url',
    z.looseObject({
      image_url: z.looseObject({
        url: z.string().min(1, 'must not be empty'),
        detail: z.enum(['auto', 'low', 'high']).nullish(),
      }),
    }),
  ],
])

/** One piece of a message's content. Kinds that we do not know pass through. */
export const contentPart = z
  .looseObject({ type: z.string() })
  .superRefine((part, { issues }) => {
    const known = knownParts.get(part.type)?.safeParse(part, { reportInput: true })
    if (known?.error) issues.push(...(known.error.issues as z.core.$ZodRawIssue[]))
  })
  .describe('A part such as `{type:"text", text}` or `{type:"image_url", image_url:{url, detail}}`.')

/** A piece of content, as it came. */
export type ContentPart = z.output<typeof contentPart>

const content = z.union([z.string(), z.array(contentPart)])

const spoken = z.looseObject({
  role: z.enum(['system', 'developer', 'user']),
  content: content.describe('Text, or a list of parts.'),
  name: z.string().optional(),
})

/** What an assistant may have done in place of saying something. */
const insteadOfContent = ['tool_calls', 'function_call', 'reasoning_content', 'refusal', 'audio'] as const

const assistant = z
  .looseObject({
    role: z.literal('assistant'),
    content: content.nullish().describe('May be left out beside tool calls and the like.'),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(z.looseObject({})).nullish(),
  })
  .refine((message) => message.content != null || insteadOfContent.some((field) => message[field] != null), {
    path: ['content'],
    error: `is required, unless the message has one of ${insteadOfContent.join(', ')}`,
  })
const toolResult = z.looseObject({
  role: z.literal('tool'),
  content,
  tool_call_id: z.string(),
})
const functionResult = z.looseObject({
  role: z.literal('function'),
  content: z.string().nullish(),
  name: z.string(),
})

/** A message of a chat completion request (contract 2.1). Unknown fields are kept. */
export const chatMessage = z
  .discriminatedUnion('role', [spoken, assistant, toolResult, functionResult], {
    error: ({ code }) =>
      code === 'invalid_union' ? `role must be one of ${chatRoles.join(', ')}` : undefined,
  })
  .meta({ id: 'ChatMessage' })

/** A checked message. */
export type ChatMessage = z.output<typeof chatMessage>
