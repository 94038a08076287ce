import { describe, expect, it } from '@jest/globals'
import { AppError, type ErrorCode } from './errors.ts'

/** Contract 8.2, status by status. */
const contract: Record<string, readonly [type: string, codes: readonly ErrorCode[]]> = {
  400: [
    'invalid_request_error',
    [
      'invalid_parameter',
      'missing_parameter',
      'invalid_json',
      'invalid_id',
      'invalid_cursor',
      'invalid_media_reference',
      'input_too_large',
      'api_key_limit_reached',
      'max_items_exceeded',
    ],
  ],
  401: [
    'auth_error',
    [
      'missing_credentials',
      'invalid_token',
      'token_expired',
      'token_revoked',
      'invalid_api_key',
      'conflicting_credentials',
    ],
  ],
  403: ['permission_error', ['admin_required', 'feature_disabled', 'feature_flag_required']],
  404: [
    'not_found_error',
    [
      'not_found',
      'model_not_found',
      'conversation_not_found',
      'item_not_found',
      'project_not_found',
      'media_not_found',
      'response_not_found',
      'route_not_found',
    ],
  ],
  405: ['invalid_request_error', ['method_not_allowed']],
  408: ['timeout_error', ['tool_timeout']],
  409: ['conflict_error', ['already_exists', 'idempotency_conflict', 'request_in_progress']],
  410: ['not_found_error', ['share_revoked', 'share_expired']],
  413: ['invalid_request_error', ['payload_too_large', 'max_size_exceeded']],
  415: ['invalid_request_error', ['unsupported_media_type']],
  422: ['execution_error', ['max_depth_exceeded', 'execution_failed']],
  429: ['rate_limit_error', ['rate_limited', 'quota_exceeded']],
  500: ['internal_error', ['internal']],
  501: ['not_implemented_error', ['not_implemented']],
  502: ['upstream_error', ['provider_error']],
  503: ['upstream_error', ['service_unavailable']],
  504: ['upstream_error', ['upstream_timeout']],
}

describe('every code of the contract', () => {
  const rows = Object.entries(contract).flatMap(([status, [type, codes]]) =>
    codes.map((code) => [code, Number(status), type] as const),
  )
  it.each(rows)('%s is %i %s', (code, status, type) => {
    const failure = new AppError(code, 'A message.')
    expect([failure.status, failure.type]).toEqual([status, type])
  })
})
