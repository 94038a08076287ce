import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { chatCompletion } from '../../platform/openai/chat-completion.ts'
import { chatCompletionChunk } from '../../platform/openai/chat-completion-chunk.ts'
import {
  type ChatCompletionRequest,
  chatCompletionRequest,
} from '../../platform/openai/chat-completion-request.ts'
import { RawBody } from '../../platform/openai/raw-body.ts'
import { encodeEvents } from '../../platform/openai/raw-frames.ts'
import { countAnswerOf } from '../middleware/count-requests.ts'
import { CompleteChatDocument, StreamChatDocument } from '../operations.generated.ts'
import { chatExamples } from '../present/chat-examples.ts'
import { inferenceFailures } from '../present/inference-failures.ts'
import { promptHints } from '../prompt-hints.ts'
import { sendRawBody, setNotes } from '../raw-body.ts'
import { handlerRoute, type Route } from '../route.ts'
import { sendEventStream } from '../stream.ts'

const tag = 'Chat'

const chatQuery = z.object({
  referrer: z.string().optional().describe('Begins a conversation with this referrer where none is named.'),
  persona: z.string().optional().describe('Whom the model shall speak as, where prompts are orchestrated.'),
})

const storedQuery = z.object({
  limit: z
    .string()
    .regex(/^[1-9]\d*$/, 'must be a whole number, 1 or more')
    .optional()
    .describe('How many.'),
  after: z.string().optional().describe('The id of the last one that was seen.'),
  order: z.enum(['asc', 'desc']).optional().describe('By creation.'),
  model: z.string().optional().describe('Only those of this model.'),
})

const storedCompletions = z
  .object({
    object: z.literal('list'),
    data: z.array(chatCompletion),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })
  .meta({ examples: [{ object: 'list', data: [], first_id: null, last_id: null, has_more: false }] })

/** Contract 2.1 and 2.3. */
export const chatRoutes: readonly Route[] = [
  handlerRoute<ChatCompletionRequest, z.output<typeof chatQuery>>({
    method: 'post',
    path: '/v1/chat/completions',
    rate: { perMinute: 50, cost: 10 },
    summary: 'Ask a model; with stream: true the answer comes as an event stream',
    tag,
    body: chatCompletionRequest,
    bodyLimit: 'large',
    query: chatQuery,
    response: chatCompletion,
    events: chatCompletionChunk,
    operationId: 'createChatCompletion',
    description:
      'Tool calls are returned, not run. With `conversation`, its items come before `messages`, and both sides are stored in it. A client that leaves a stream stops the model. What does not fit into the model is left out, the oldest first, and the answer has `trimmed: true`.',
    examples: chatExamples,
    failures: [...inferenceFailures, 'input_too_large'],
    headers: {
      'X-Prompt-Persona': 'The same as `persona`.',
      'X-Prompt-Memory':
        'What the model shall know from before, as texts with semicolons between them, where prompts are orchestrated.',
      'Accept-Language': 'The language that the user reads, where prompts are orchestrated.',
    },
    async handle({ body, rawBody, query, request, context }, response) {
      const variables = {
        request: new RawBody(rawBody, body),
        referrer: query.referrer ?? null,
        hints: promptHints(query.persona, request.headers),
      }
      if (!body.stream) {
        const { completeChat } = await context.graph.execute(CompleteChatDocument, variables, context)
        countAnswerOf(response, { model: body.model, stream: false })
        sendRawBody(response, completeChat)
        return
      }
      const events = await context.graph.subscribe(StreamChatDocument, variables, context)
      countAnswerOf(response, { model: body.model, stream: true })
      await sendEventStream(response, events, ({ streamChat }) => encodeEvents(streamChat), context, {
        begin: ({ streamChat }) => setNotes(response, streamChat),
      })
    },
  }),
  handlerRoute({
    method: 'get',
    path: '/v1/chat/completions',
    operationId: 'listChatCompletions',
    summary: 'List your stored completions; they are kept as conversations, so this list is empty',
    tag,
    query: storedQuery,
    failures: ['invalid_parameter', 'invalid_cursor'],
    response: storedCompletions,
    async handle({ query: { after } }, response) {
      if (after !== undefined)
        throw new AppError('invalid_cursor', 'after names no completion.', { param: 'after' })
      response.json({ object: 'list', data: [], first_id: null, last_id: null, has_more: false })
    },
  }),
]
