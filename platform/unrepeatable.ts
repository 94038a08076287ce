import type { ServerResponse } from 'node:http'
import { statusOf } from './errors.ts'

const unrepeatable = new WeakSet<ServerResponse>()

/** Says of an answer that it must not be given again: a stream that broke would have been a 5xx, had its head not been out. */
export function markUnrepeatable(response: ServerResponse): void {
  unrepeatable.add(response)
}

/** The same of a GraphQL answer whose errors would have been a 5xx or a 429 anywhere else. */
export function markTransientErrors(
  response: ServerResponse,
  errors: readonly { readonly extensions?: Record<string, unknown> | undefined }[] | undefined,
): void {
  if (errors?.some(({ extensions }) => isTransient(statusOf(extensions?.code)))) markUnrepeatable(response)
}

/** Contract 8.5: failures of ours and of the provider, and refusals for the time being, are not stored. */
export function isRepeatable(response: ServerResponse, status: number): boolean {
  return !isTransient(status) && !unrepeatable.has(response)
}

function isTransient(status: number): boolean {
  return status >= 500 || status === 429
}
