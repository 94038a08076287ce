import type { ErrorCode } from '../../platform/errors.ts'

/** What a route that asks a model can fail with on its provider's side, for the API's description. */
export const inferenceFailures: readonly ErrorCode[] = [
  'model_not_found',
  'provider_rate_limited',
  'provider_error',
  'service_unavailable',
  'upstream_timeout',
]
