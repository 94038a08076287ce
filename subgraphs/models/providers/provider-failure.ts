import { AppError, type ErrorCode, type ErrorDetails } from '../../../platform/errors.ts'

/**
 * Who may be asked after a failure: the same endpoint once more, only another one, or nobody, because the request is at
 * fault, an answer has begun or the time is up.
 */
export type NextAsked = 'same' | 'another' | 'nobody'

/** What a failure means for the calls that follow. */
export interface FailureDetails extends ErrorDetails {
  readonly next: NextAsked
  /** Whether it counts against the endpoint: what the request or our own access caused does not. */
  readonly isFault: boolean
  /** Milliseconds for which the endpoint asked to be left alone; null where it did not. */
  readonly restMs?: number | null
}

/** A call that a provider did not answer well. */
export class ProviderFailure extends AppError {
  readonly next: NextAsked
  readonly isFault: boolean
  readonly restMs: number | null

  constructor(code: ErrorCode, message: string, details: FailureDetails) {
    super(code, message, details)
    this.next = details.next
    this.isFault = details.isFault
    this.restMs = details.restMs ?? null
  }
}

/** What makes asking another sensible, of failures that no endpoint told: it lacks the model, or nobody may ask it now. */
const othersChance = new Set<ErrorCode>(['model_not_found', 'service_unavailable', 'provider_rate_limited'])

export function nextAsked(failure: unknown): NextAsked {
  if (failure instanceof ProviderFailure) return failure.next
  return failure instanceof AppError && othersChance.has(failure.code) ? 'another' : 'nobody'
}
