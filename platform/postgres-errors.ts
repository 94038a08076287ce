/** Whether `error` is PostgreSQL's refusal of a second row under a unique index (of that name, when one is given). */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const fault = findPostgresError(error)
  return fault?.code === '23505' && (constraint === undefined || fault.constraint === constraint)
}

/** How often work is begun anew that PostgreSQL has ended to let another go on. */
const attemptsDespiteDeadlocks = 5

/**
 * What `work` gives. It is done anew where PostgreSQL has ended it because it and others waited for one another: whoever uses this
 * commits within it, or not at all.
 */
export async function despiteDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (postgresCode(error) !== '40P01' || attempt === attemptsDespiteDeadlocks) throw error
    }
  }
}

/** The SQLSTATE of PostgreSQL's error in or behind `error`; null where there is none. */
export function postgresCode(error: unknown): string | null {
  return findPostgresError(error)?.code ?? null
}

function findPostgresError(error: unknown): { code: string; constraint?: string } | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code))
      return at as Error & { code: string; constraint?: string }
    if ('previous' in at && at.previous instanceof Error && 'code' in at.previous)
      return at.previous as unknown as { code: string; constraint?: string }
  }
  return undefined
}
