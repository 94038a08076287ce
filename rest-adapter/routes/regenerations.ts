import type { Response } from 'express'
import { z } from 'zod'
import { chatCompletionChunk } from '../../platform/openai/chat-completion-chunk.ts'
import { encodeEvents } from '../../platform/openai/raw-frames.ts'
import {
  AskEditedItemDocument,
  EditItemDocument,
  type RegenerateInput,
  RegenerateItemDocument,
  StreamRegenerationDocument,
} from '../operations.generated.ts'
import { conversationId } from '../present/conversation.ts'
import { inferenceFailures } from '../present/inference-failures.ts'
import { itemId } from '../present/item.ts'
import { editJson, editResource, regenerationJson, regenerationResource } from '../present/regeneration.ts'
import { setNotes } from '../raw-body.ts'
import { handlerRoute, type Route, type RouteInput, type RouteMethod } from '../route.ts'
import { boundedInt, dual, dualOf } from '../shapes.ts'
import { sendEventStream } from '../stream.ts'

const tag = 'Items'
const one = '/v1/conversations/:conversation_id/items/:item_id'

const askingFields = {
  model: z.string().nullish().describe('The one that the conversation used last unless given.'),
  temperature: z.number().nullish().describe('0 to 2.'),
  max_tokens: z.int().nullish().describe('The most tokens to produce.'),
  stream: z.boolean().nullish().describe('Answers as an event stream of chat chunks.'),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
}

const regenerateBody = z.object(askingFields).meta({ id: 'RegenerateRequest' })

const editBody = z
  .object({
    content: z.string().describe('The new text of the message; what else it holds is kept.'),
    regenerate: z
      .boolean()
      .nullish()
      .describe(
        'Whether a model is asked at once, the one that the conversation used last unless `model` is given. By default one is where `model` or `stream` is given.',
      ),
    ...askingFields,
  })
  .meta({ id: 'EditRequest' })

type Asking = z.output<typeof regenerateBody>

function regenerateInput(input: RouteInput<Asking>, content: string | null): RegenerateInput {
  const { model, temperature, max_tokens } = input.body
  return {
    conversationId: conversationId(input),
    itemId: itemId(input),
    content,
    model,
    temperature,
    maxTokens: boundedInt(max_tokens),
  }
}

async function sendStream(
  response: Response,
  { body, context }: RouteInput<Asking>,
  input: RegenerateInput,
): Promise<void> {
  const variables = { input, includeUsage: body.stream_options?.include_usage ?? false }
  const events = await context.graph.subscribe(StreamRegenerationDocument, variables, context)
  await sendEventStream(
    response,
    events,
    ({ streamRegeneration }) => encodeEvents(streamRegeneration),
    context,
    { begin: ({ streamRegeneration }) => setNotes(response, streamRegeneration) },
  )
}

async function handleEdit(input: RouteInput<z.output<typeof editBody>>, response: Response): Promise<void> {
  const { body, context } = input
  const { content, regenerate, model, stream } = body
  const asks = regenerate ?? (model != null || stream === true)
  if (!asks) {
    const variables = { input: { conversationId: conversationId(input), itemId: itemId(input), content } }
    const { editItem } = await context.graph.execute(EditItemDocument, variables, context)
    response.json(dual(editJson(editItem), context.requestId))
    return
  }
  const asked = regenerateInput(input, content)
  if (stream) return sendStream(response, input, asked)
  const done = await context.graph.execute(AskEditedItemDocument, { input: asked }, context)
  response.json(dual(editJson(done.regenerate), context.requestId))
}

/** The same under three methods, since documents and clients differ (contract R39). */
const editRoute = (method: RouteMethod, path: string, operationId: string) =>
  handlerRoute<z.output<typeof editBody>>({
    method,
    path,
    operationId,
    rate: { name: 'edit item' },
    summary: 'Edit a message of a user: a branch that ends with it becomes MAIN, the former one is kept',
    description:
      'Everything after the message stays behind. With `model`, `stream` or `regenerate: true` it is asked at once, and stored together with its answer: where the model fails, nothing changes.',
    tag,
    body: editBody,
    examples: {
      prepare: { content: 'How do I make lasagna for six?' },
      ask: { content: 'How do I make lasagna for six?', model: 'jan-v1-4b' },
    },
    failures: ['input_too_large', 'conversation_full', ...inferenceFailures],
    response: dualOf(editResource),
    events: chatCompletionChunk,
    handle: handleEdit,
  })

/** Contract 3.3: messages that are edited, and asked again. */
export const regenerationRoutes: readonly Route[] = [
  editRoute('post', `${one}/edit`, 'editItem'),
  editRoute('put', `${one}/edit`, 'putItemEdit'),
  editRoute('patch', one, 'patchItem'),
  handlerRoute<Asking>({
    method: 'post',
    path: `${one}/regenerate`,
    operationId: 'regenerateItem',
    rate: { perMinute: 50, cost: 10 },
    summary: 'Ask a message of a user again: a branch that ends with it and its new answer becomes MAIN',
    description:
      'The item is the message or an answer to it, by an id of any branch. Branch, message and answer are stored together: where the model fails, nothing changes. In a conversation that has used no model the branch is only prepared, unless `model` is given.',
    tag,
    body: regenerateBody,
    bodyOptional: true,
    examples: { again: {}, with_another_model: { model: 'jan-v2-30b', temperature: 0.2 } },
    failures: ['conversation_full', ...inferenceFailures],
    response: dualOf(regenerationResource),
    events: chatCompletionChunk,
    async handle(input, response) {
      const asked = regenerateInput(input, null)
      if (input.body.stream) return sendStream(response, input, asked)
      const { context } = input
      const { regenerate } = await context.graph.execute(RegenerateItemDocument, { input: asked }, context)
      response.json(dual(regenerationJson(regenerate), context.requestId))
    },
  }),
]
