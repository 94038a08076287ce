import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** Settles when the client has read what was written, or has left. Leaves no listener behind. */
export async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })])
  } finally {
    settled.abort()
  }
}
