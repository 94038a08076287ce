import { AppError } from '../../platform/errors.ts'

const departures = new Set(['ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'])

/** What a transfer broke off with, told apart: a client that left is no failure of ours. */
export function transferFailure(cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (cause instanceof AppError || code === undefined || !departures.has(code)) return cause
  return new AppError('client_closed_request', 'The client left before all of the bytes were there.', {
    cause,
  })
}
