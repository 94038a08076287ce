import type { RequestContext } from '../../../platform/context.ts'
import type { Span, SpanOutcome, Tracing } from '../../../platform/tracing/tracing.ts'
import type { Candidate } from './prepared.ts'
import type { CallOutcome } from './usage-figures.ts'

/** The span of a call to a provider, by OpenTelemetry's names for generative AI. Texts are never told. */
export function providerSpan(
  tracing: Tracing,
  { offer }: Candidate,
  { requestId, traceparent }: RequestContext,
): Span {
  return tracing.begin(`chat ${offer.modelId}`, {
    kind: 'client',
    parent: traceparent ?? null,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': offer.provider.name,
      'gen_ai.request.model': offer.modelId,
      'jan.request_id': requestId,
    },
  })
}

/** What has become of it. */
export function spanOutcome({ end, tokens, stream }: CallOutcome): SpanOutcome {
  return {
    attributes: {
      'gen_ai.usage.input_tokens': tokens.prompt_tokens,
      'gen_ai.usage.output_tokens': tokens.completion_tokens,
      'jan.stream': stream,
    },
    failure: end === 'completed' ? undefined : end,
  }
}
