import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { httpUrl, parseConfig } from './config.ts'
import { nameAsGiven, underOwnNames, unreadSettings } from './jan-server-settings.ts'

describe('settings by the names that Jan Server has for them', () => {
  it('count where ours are not given', () => {
    const given = {
      AUTH_ISSUER: 'theirs',
      AUTH_JWKS_URL: 'https://theirs.example/jwks',
      JWKS_URL: 'https://ours.example/jwks',
      MODEL_PROVIDER_SECRET: 'a secret of theirs',
    }
    expect(underOwnNames(given)).toEqual({ ...given, ISSUER: 'theirs', JAN_SECRET: 'a secret of theirs' })
    expect(underOwnNames({ DB_POSTGRESQL_WRITE_DSN: 'postgres://db' })).toMatchObject({
      DATABASE_URL: 'postgres://db',
    })
    expect(underOwnNames({})).toEqual({})
  })

  it('lead to a realm of Keycloak', () => {
    const inside = { KEYCLOAK_BASE_URL: 'http://keycloak:8085/' }
    expect(underOwnNames(inside)).toEqual({
      ...inside,
      OIDC_DISCOVERY_URL: 'http://keycloak:8085/realms/jan/.well-known/openid-configuration',
    })
    const outside = { KEYCLOAK_PUBLIC_URL: 'https://id.example.com', KEYCLOAK_REALM: 'chat' }
    expect(underOwnNames({ ...inside, ...outside })).toMatchObject({
      OIDC_DISCOVERY_URL: 'http://keycloak:8085/realms/chat/.well-known/openid-configuration',
      ISSUER: 'https://id.example.com/realms/chat',
    })
    expect(underOwnNames({ ...outside, AUTH_ISSUER: 'https://told.example.com' })).toMatchObject({
      ISSUER: 'https://told.example.com',
    })
  })

  it('are named by them where they are broken', () => {
    const environment = underOwnNames({ KEYCLOAK_BASE_URL: 'keycloak', JWKS_URL: 'nowhere' })
    const slice = z.object({ OIDC_DISCOVERY_URL: httpUrl(), JWKS_URL: httpUrl() })
    expect(() => parseConfig(slice, environment)).toThrow(
      /^OIDC_DISCOVERY_URL \(KEYCLOAK_BASE_URL\): .*\nJWKS_URL: /,
    )
    expect(nameAsGiven('DATABASE_URL', { DATABASE_URL: 'ours', DB_POSTGRESQL_WRITE_DSN: 'theirs' })).toBe(
      'DATABASE_URL',
    )
    expect(nameAsGiven('PORT', {})).toBe('PORT')
  })

  it('are told of where they count for nothing, without their values', () => {
    const told = unreadSettings({
      BACKEND_CLIENT_SECRET: 'hush',
      LLM_API_BASE_URL: 'http://llm-api',
      PORT: '1',
    })
    expect(told).toHaveLength(2)
    expect(told.join('\n')).toMatch(/^BACKEND_CLIENT_SECRET is not read: .*\nLLM_API_BASE_URL is not read: /)
    expect(told.join('\n')).not.toMatch(/hush|http:/)
  })
})
