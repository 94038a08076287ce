import type { Response } from 'express'

const unrepeatable = new WeakSet<Response>()

/** Says of an answer that it must not be given again: a stream that broke would have been a 5xx, had its head not been out. */
export function markUnrepeatable(response: Response): void {
  unrepeatable.add(response)
}

/** Contract 8.5: failures of ours and of the provider, and refusals for the time being, are not stored. */
export function isRepeatable(response: Response, status: number): boolean {
  return status < 500 && status !== 429 && !unrepeatable.has(response)
}
