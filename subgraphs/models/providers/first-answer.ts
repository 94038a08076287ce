import { AppError } from '../../../platform/errors.ts'

/** What makes asking another sensible: the fault is this one's alone. A timeout has used up the client's patience. */
const anothersChance = new Set([
  'provider_error',
  'provider_rate_limited',
  'model_not_found',
  'service_unavailable',
])

/**
 * Tries in turn until one answers. Where none does, the first failure is told: the others were only tried in its place.
 * @throws AppError
 */
export async function firstAnswer<Candidate, Answer>(
  candidates: readonly Candidate[],
  ask: (candidate: Candidate) => Promise<Answer>,
): Promise<Answer> {
  let failure: unknown
  for (const candidate of candidates) {
    try {
      return await ask(candidate)
    } catch (error) {
      if (!(error instanceof AppError) || !anothersChance.has(error.code)) throw error
      failure ??= error
    }
  }
  throw failure ?? new AppError('service_unavailable', 'No provider can be asked for this at the moment.')
}
