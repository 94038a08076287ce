import { z } from 'zod'

/** A call of a function; the arguments are JSON as text, as the model wrote it. */
export const functionToolCall = z.looseObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
})

/** A call of a custom tool: its input is free text. */
export const customToolCall = z.looseObject({
  id: z.string(),
  type: z.literal('custom'),
  custom: z.looseObject({ name: z.string(), input: z.string() }),
})

/** What a model wants done before it goes on. */
export const toolCall = z
  .discriminatedUnion('type', [functionToolCall, customToolCall])
  .meta({ id: 'ToolCall' })

/** A piece of a call in a stream: `index` tells which call it continues. */
export const toolCallDelta = z.looseObject({
  index: z.int(),
  id: z.string().optional(),
  type: z.enum(['function', 'custom']).optional(),
  function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
})
