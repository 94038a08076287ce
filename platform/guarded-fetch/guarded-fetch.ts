import type { Readable } from 'node:stream'

/**
 * Reaches URLs that users supply (media, webhooks, MCP servers, pages to scrape) and nothing else than the public internet, but for
 * the hosts of `OUTBOUND_ALLOW_HOSTS`. A name is resolved once, all of its addresses are judged, and the connection goes to
 * one of those; each redirect is judged anew. Proxies of the environment are not used.
 */
export interface GuardedFetch {
  /**
   * Resolves with the head of the answer, whatever its status. Its body must be read or destroyed.
   *
   * @throws AppError `invalid_parameter` where `url` is none that is fetched, where nothing can be fetched from it (the same sentence
   * for unknown, refused and unreachable hosts), and where the answer is late; `max_size_exceeded` where the announced
   * body is too large. The reason of `signal`, once that is aborted. The body fails with the same errors.
   */
  fetch(url: string, request: GuardedRequest): Promise<GuardedResponse>
}

/** How a URL is asked. */
export interface GuardedRequest {
  /** GET unless given. Redirects of GET and HEAD are followed, five at most; those of others are answers. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /**
   * By names in lower case. `host`, `connection` and `accept-encoding` are not the caller's. Another origin than that of `url`
   * gets no more of them than `accept`, `accept-language` and `user-agent`.
   */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** The wire name of the field that holds the URL: what errors name. */
  readonly param: string | null
  /** Milliseconds for all of it, from resolving the name to the last byte of the body, however slowly that is read. */
  readonly timeoutMs: number
  /** The most bytes that a body may have, decoded and on the wire. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/** An answer whose body is still to come. */
export interface GuardedResponse {
  /** Where it came from, after redirects. */
  readonly url: string
  readonly status: number
  /** By names in lower case, as they were sent: `content-length` counts the encoded body. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The decoded bytes, read from the connection no faster than from here. Destroying it closes the connection. */
  readonly body: Readable
}
