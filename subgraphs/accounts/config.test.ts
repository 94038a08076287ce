import { describe, expect, it } from '@jest/globals'
import { parseConfig } from '../../platform/config.ts'
import { accountsConfig, assertDistinctIssuers, hasBuiltinIssuer } from './config.ts'

const parse = (environment: Record<string, string>) => parseConfig(accountsConfig, environment)

describe('the settings of accounts', () => {
  it('have the documented defaults', () => {
    expect(parse({})).toMatchObject({
      ACCESS_TOKEN_TTL: 300_000,
      ACCOUNT: 'account',
      AUTH_CLOCK_SKEW: 60_000,
      JWKS_REFRESH_INTERVAL: 300_000,
      API_KEY_PREFIX: 'sk_live',
      API_KEY_DEFAULT_TTL: 90 * 86_400_000,
      API_KEY_MAX_TTL: 90 * 86_400_000,
      API_KEY_MAX_PER_USER: 5,
    })
  })

  it.each([
    ['JAN_ADMIN_API_KEY', { JAN_ADMIN_API_KEY: 'secret' }],
    ['JAN_ADMIN_API_KEY', { JAN_ADMIN_API_KEY: 'sk_short' }],
    ['API_KEY_PREFIX', { API_KEY_PREFIX: 'pk_live' }],
    ['API_KEY_MAX_PER_USER', { API_KEY_MAX_PER_USER: '0' }],
    ['ACCESS_TOKEN_TTL', { ACCESS_TOKEN_TTL: 'soon' }],
    ['ACCESS_TOKEN_TTL', { ACCESS_TOKEN_TTL: '0s' }],
    ['BUILTIN_ISSUER', { BUILTIN_ISSUER: 'maybe' }],
    ['BUILTIN_ISSUER', { BUILTIN_ISSUER: 'false' }],
    ['OIDC_DISCOVERY_URL', { OIDC_DISCOVERY_URL: 'keycloak' }],
    ['ISSUER', { JWKS_URL: 'http://localhost/certs' }],
  ])('name %s when it is broken: %j', (name, environment) => {
    expect(() => parse(environment)).toThrow(name)
  })

  it('switch the built-in issuer off where an external one is, unless told otherwise', () => {
    const external = { OIDC_DISCOVERY_URL: 'http://localhost/.well-known/openid-configuration' }
    expect(hasBuiltinIssuer(parse({}))).toBe(true)
    expect(hasBuiltinIssuer(parse(external))).toBe(false)
    expect(hasBuiltinIssuer(parse({ ...external, BUILTIN_ISSUER: 'true' }))).toBe(true)
  })

  it('name ISSUER when both issuers would go by one name', () => {
    const one = { JWKS_URL: 'http://localhost/certs', ISSUER: 'http://localhost:8000' }
    const both = parse({ ...one, BUILTIN_ISSUER: 'true' })
    expect(() => assertDistinctIssuers(both, 'http://localhost:8000')).toThrow('ISSUER')
    expect(() => assertDistinctIssuers(both, 'http://localhost:9000')).not.toThrow()
    expect(() => assertDistinctIssuers(parse(one), 'http://localhost:8000')).not.toThrow()
  })
})
