import { AppError } from '../errors.ts'

/** What stands in `cause`: for the log, and for nobody else's eyes. */
type Cause = unknown

export function notAUrl(param: string | null): AppError {
  return new AppError('invalid_parameter', 'This should be an http or https URL.', { param })
}

export function hasCredentials(param: string | null): AppError {
  return new AppError('invalid_parameter', 'A URL with a user name or a password in it is not fetched.', {
    param,
  })
}

/**
 * One sentence for hosts that are unknown, not public, or do not answer as they should: a user must not learn which names and
 * ports there are behind the platform.
 */
export function unreachable(param: string | null, cause: Cause): AppError {
  return new AppError('invalid_parameter', 'Nothing could be fetched from this URL.', { param, cause })
}

export function leadsAstray(param: string | null): AppError {
  return new AppError('invalid_parameter', 'This URL redirects to one that is not fetched.', { param })
}

export function tooManyRedirects(param: string | null, limit: number): AppError {
  return new AppError('invalid_parameter', `This URL redirects more than ${limit} times.`, { param })
}

export function late(param: string | null): AppError {
  return new AppError('invalid_parameter', 'The URL did not answer in time.', { param })
}

export function tooLarge(param: string | null, maxBytes: number): AppError {
  return new AppError('max_size_exceeded', `What the URL leads to is larger than ${maxBytes} bytes.`, {
    param,
  })
}
