import { expect, it } from '@jest/globals'
import { underOwnNames } from './config.ts'

it('settings by the names that Jan Server has for them count where ours are not given', () => {
  const given = {
    AUTH_ISSUER: 'theirs',
    AUTH_JWKS_URL: 'https://theirs.example/jwks',
    JWKS_URL: 'https://ours.example/jwks',
  }
  expect(underOwnNames(given)).toEqual({ ...given, ISSUER: 'theirs' })
  expect(underOwnNames({ DB_POSTGRESQL_WRITE_DSN: 'postgres://db' })).toMatchObject({
    DATABASE_URL: 'postgres://db',
  })
  expect(underOwnNames({})).toEqual({})
})
