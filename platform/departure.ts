import type { ServerResponse } from 'node:http'

/** The signal of a request: aborts when its client leaves before the answer is out, at once if it has left already. */
export function departureSignal(response: ServerResponse): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!response.writableFinished) leaving.abort()
  }
  if (response.destroyed || response.closed) leave()
  else response.once('close', leave)
  return leaving.signal
}
