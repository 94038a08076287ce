import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Actor } from '../../platform/actor.ts'
import type { RequestContext } from '../../platform/context.ts'
import { AppError, toAppError } from '../../platform/errors.ts'
import type { Graph } from '../../platform/graph.ts'
import type { Logger } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics/metrics.ts'
import type { Notifications } from '../../platform/notifications.ts'
import { notifiedCache, type Revocable } from '../../platform/notified-cache.ts'
import { revocationChannel } from '../../platform/revocations.ts'
import { VerifyCredentialsDocument } from '../operations.generated.ts'
import { readCredentials, type SentCredentials } from './credentials.ts'

/** What the authenticator works with. */
export interface AuthenticatorOptions {
  /** The whole graph: verification is not for clients. */
  readonly graph: Graph
  readonly notifications: Pick<Notifications, 'connected' | 'follow' | 'onChange'>
  readonly log: Logger
  readonly metrics: Metrics
}

/** Finds out who sends a request. */
export interface CredentialAuthenticator {
  /**
   * The actor behind the request's credentials; null when it has none.
   * @throws AppError with a 401 code for a bad credential; `service_unavailable` when it can't be checked now
   */
  authenticate(headers: IncomingHttpHeaders, base: Omit<RequestContext, 'actor'>): Promise<Actor | null>
  close(): void
}

interface VerifiedActor extends Revocable {
  readonly actor: Actor
}

const lookUpTimeoutMs = 15_000

/** Contract 1.1. Verified credentials are remembered by their digest until they expire or are revoked. */
export function createAuthenticator({
  graph,
  notifications,
  log,
  metrics,
}: AuthenticatorOptions): CredentialAuthenticator {
  const requests = metrics.counter({
    name: 'jan_llm_api_auth_requests_total',
    help: 'Credentials that were looked at.',
    labels: ['auth_type', 'status'],
  })
  const cache = notifiedCache<VerifiedActor>({ notifications, channel: revocationChannel })

  const verify = async (
    credentials: SentCredentials,
    base: Omit<RequestContext, 'actor'>,
  ): Promise<VerifiedActor> => {
    // others may wait for the same answer: it must not end with the request that asked first
    const context = { ...base, actor: null, signal: AbortSignal.timeout(lookUpTimeoutMs) }
    const input = { bearer: credentials.bearer, apiKeys: [...credentials.apiKeys] }
    try {
      const { verifyCredentials } = await graph.execute(VerifyCredentialsDocument, { input }, context)
      const { actor, expiresAt, cacheKeys } = verifyCredentials
      return { actor: Object.freeze(actor), expiresAt: Date.parse(expiresAt), cacheKeys }
    } catch (error) {
      throw refusal(error, log)
    }
  }

  return {
    async authenticate(headers, base) {
      const credentials = readCredentials(headers)
      if (!credentials) return null
      try {
        const { actor } = await cache.get(digestOf(credentials), () => verify(credentials, base))
        requests.add({ auth_type: actor.method, status: 'success' })
        return actor
      } catch (error) {
        const status = toAppError(error).status === 401 ? 'refused' : 'failed'
        requests.add({ auth_type: credentials.apiKeys.length > 0 ? 'api_key' : 'jwt', status })
        throw error
      }
    },
    close: () => cache.close(),
  }
}

/** Trouble of ours must never look like a bad credential. */
function refusal(thrown: unknown, log: Logger): AppError {
  const failure = toAppError(thrown)
  if (failure.status === 401) return failure
  log.error({ err: failure.cause ?? failure }, 'credentials could not be checked')
  return new AppError('service_unavailable', 'Credentials can’t be checked at the moment. Try again.', {
    cause: failure,
    retryAfter: 1,
  })
}

function digestOf({ bearer, apiKeys }: SentCredentials): string {
  return hash('sha256', JSON.stringify([bearer, ...apiKeys]), 'base64')
}

const headersOf = new WeakMap<Actor, ReadonlyMap<string, string>>()

/** What the answer tells the caller about who it is taken for (contract 1.1). Put together once for each verified credential. */
export function identityHeaders(actor: Actor): ReadonlyMap<string, string> {
  const known = headersOf.get(actor)
  if (known) return known
  const made = new Map(toldOf(actor))
  headersOf.set(actor, made)
  return made
}

function toldOf({ method, id, subject, username, email, scopes }: Actor): [name: string, value: string][] {
  const told: [string, string | null][] = [
    ['X-Auth-Method', method],
    ['X-Principal-Id', id],
    ['X-User-ID', id],
    ['X-User-Subject', headerSafe(subject)],
    ['X-User-Username', username ? headerSafe(username) : null],
    ['X-User-Email', email ? headerSafe(email) : null],
    ['X-Scopes', scopes.length > 0 ? headerSafe(scopes.join(' ')) : null],
  ]
  return told.flatMap(([name, value]) => (value === null ? [] : [[name, value]]))
}

/** Percent-encodes what a header can't hold, and `%`, so that it can be read back. */
function headerSafe(value: string): string {
  return value.toWellFormed().replace(/[^\x20-\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character))
}
