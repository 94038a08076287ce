import { AppError } from '../../../platform/errors.ts'

/** What a call that the client has given up ends with, whatever the provider made of it. */
export function clientLeft(cause: unknown): AppError {
  return new AppError('client_closed_request', 'The client left before the answer was ready.', { cause })
}
