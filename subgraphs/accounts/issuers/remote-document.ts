import { AppError } from '../../../platform/errors.ts'
import type { Logger } from '../../../platform/log.ts'

const fetchTimeoutMs = 5_000

/** A JSON document of an external issuer, kept for a while. An old one stays good while the issuer can't be reached. */
export interface RemoteDocument<T> {
  /** The document. @throws AppError `service_unavailable` when it was never had and can't be had now */
  get(): Promise<T>
  /** Fetches it anew, unless that was tried within `pauseMs`. @throws AppError `service_unavailable` */
  renew(pauseMs: number): Promise<T>
}

/** How a document is fetched and read. */
export interface RemoteDocumentOptions<T> {
  readonly url: () => Promise<string>
  /** @throws Error when it is not such a document */
  read(json: unknown): T
  readonly refreshMs: number
  readonly log: Logger
}

export function remoteDocument<T>({
  url,
  read,
  refreshMs,
  log,
}: RemoteDocumentOptions<T>): RemoteDocument<T> {
  let known: { readonly value: T } | undefined
  let attemptedAt = Number.NEGATIVE_INFINITY
  let fetching: Promise<T> | undefined

  const refetch = (): Promise<T> => {
    fetching ??= (async () => {
      attemptedAt = Date.now()
      known = { value: read(await fetchJson(await url())) }
      return known.value
    })().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  return {
    async get() {
      if (known && Date.now() - attemptedAt < refreshMs) return known.value
      try {
        return await refetch()
      } catch (error) {
        if (!known) throw unreachable(error)
        log.warn({ err: error }, 'the external issuer could not be reached; keeping what it said before')
        return known.value
      }
    },
    async renew(pauseMs) {
      if (known && !fetching && Date.now() - attemptedAt < pauseMs) return known.value
      return refetch().catch((error: unknown) => {
        throw unreachable(error)
      })
    },
  }
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(fetchTimeoutMs),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response.json()
}

function unreachable(cause: unknown): AppError {
  return new AppError('service_unavailable', 'The identity provider can’t be reached to check the token.', {
    cause,
  })
}
