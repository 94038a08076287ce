import { requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import { type EmbeddingRequest, embeddingRequest } from '../../../platform/openai/embedding-request.ts'
import { rawBodyOf } from '../../../platform/openai/raw-body.ts'
import { validated } from '../../../platform/validate.ts'
import { firstAnswer, type JsonObject, spliceFields, usageOf } from '../providers/index.ts'
import type { EmbeddingsInput } from '../schema.generated.ts'
import { encodeEmbeddings } from './embedding-encoding.ts'
import { type Candidate, candidatesOf, noteFailures, requireModel } from './prepared.ts'
import type { CompletionParts } from './service.ts'
import { answererOf, estimatedEmbeddingUsage, usageRecord } from './usage-figures.ts'

/** A request for embeddings: the body's bytes, and the same checked. */
export interface EmbeddingCall {
  readonly bytes: Buffer
  readonly parsed: EmbeddingRequest
}

/** What the REST adapter hands on. */
export function embeddingCall(value: unknown): EmbeddingCall {
  const { bytes, parsed } = rawBodyOf(value)
  return {
    bytes,
    parsed: (parsed ?? validated(embeddingRequest, JSON.parse(bytes.toString()))) as EmbeddingRequest,
  }
}

/** What a GraphQL client asks. @throws AppError `invalid_parameter` */
export function embeddingCallOf({ model, input, dimensions, user, extra }: EmbeddingsInput): EmbeddingCall {
  const fields = { ...(typeof extra === 'object' ? extra : {}), model, input, dimensions, user }
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null))
  const parsed = validated(embeddingRequest, { ...present, encoding_format: 'float' })
  return { bytes: Buffer.from(JSON.stringify(parsed)), parsed }
}

/** Turns texts into vectors (contract 2.6). No other model stands in: its vectors could not be compared with those that are stored. */
export function embeddingService(
  context: RequestContext,
  { catalogue, usage, metrics, bounds }: CompletionParts,
) {
  return {
    /** The answer's bytes and the same parsed, with the model that was asked for. @throws AppError */
    async embed({ bytes, parsed }: EmbeddingCall): Promise<{ bytes: Buffer; json: JsonObject }> {
      const actor = requireActor(context.actor)
      const model = requireModel(catalogue, parsed.model, actor)
      if (model.capabilities.embeddings === false) {
        throw new AppError('invalid_parameter', 'This model makes no embeddings.', { param: 'model' })
      }
      const call = {
        id: newId('completion'),
        actor,
        modelId: parsed.model,
        startedAt: performance.now(),
      }
      const { requestId, traceparent, signal } = context
      const { startedAt } = call
      const bodyFor = ({ offer }: Candidate) => spliceFields(bytes, { model: JSON.stringify(offer.modelId) })
      const { candidate, answer } = await firstAnswer(
        [candidatesOf(model, catalogue)],
        async (candidate) => ({
          candidate,
          answer: await candidate.route.whole({ caller: actor.id, signal }, (client) =>
            client.embed({ body: bodyFor(candidate), requestId, traceparent, signal, startedAt }),
          ),
        }),
        {
          retries: bounds.retries,
          until: startedAt + bounds.totalMs,
          signal,
          onFailure: noteFailures(context.log, metrics),
        },
      )
      const told = usageOf(answer.json)
      const tokens = told ?? estimatedEmbeddingUsage(parsed)
      usage.record(
        usageRecord(call, answererOf(call, candidate), { end: 'completed', tokens, stream: false }),
      )
      const given = answer.json.data as JsonObject[]
      const data = encodeEmbeddings(given, parsed.encoding_format ?? 'float')
      const body = spliceFields(answer.body, {
        model: JSON.stringify(parsed.model),
        ...(data === given ? {} : { data: JSON.stringify(data) }),
        ...(told ? {} : { usage: JSON.stringify(tokens) }),
      })
      return { bytes: body, json: { ...answer.json, data, usage: tokens } }
    },
  }
}

/** The embedding service of one request. */
export type EmbeddingService = ReturnType<typeof embeddingService>
