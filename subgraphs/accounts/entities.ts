import { defineEntity, p } from '@mikro-orm/postgresql'

const moment = () => p.datetime().columnType('timestamptz(3)')

const UserSchema = defineEntity({
  name: 'User',
  tableName: 'user_account',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    id: p.uuid(),
    identityMethod: p.text(),
    identityIssuer: p.text(),
    identitySubject: p.text(),
    username: p.text().nullable(),
    email: p.text().nullable(),
    emailVerified: p.boolean(),
    name: p.text().nullable(),
    picture: p.text().nullable(),
    roles: p.array(),
    groups: p.array(),
    featureFlags: p.array(),
    isGuest: p.boolean(),
    isAdmin: p.boolean(),
    createdAt: moment(),
    updatedAt: moment(),
    disabledAt: moment().nullable(),
    deletedAt: moment().nullable(),
  },
})

/**
 * A user's row. `identity*` tells who vouches for the user: the built-in issuer, or an external one and its `sub`.
 * `isAdmin` is the attribute of contract 1.8; roles and flags can make an administrator too.
 */
export class User extends UserSchema.class {}
UserSchema.setClass(User)

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    id: p.uuid(),
    userId: p.uuid(),
    origin: p.text(),
    name: p.text(),
    prefix: p.text(),
    suffix: p.text(),
    scopes: p.array(),
    createdAt: moment(),
    expiresAt: moment().nullable(),
    revokedAt: moment().nullable(),
    lastUsedAt: moment().nullable(),
  },
})

/**
 * An API key's row, without the hash of its secret, which only SQL compares. `origin` is `user`, or `environment` and
 * `first_start` for the first administrator's.
 */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey)

const SigningKeySchema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  properties: {
    key: p.bigint('string').primary().autoincrement(),
    kid: p.text(),
    publicJwk: p.json().columnType('json'),
    privateSealed: p.text(),
    createdAt: moment(),
    verifiesUntil: moment().nullable(),
  },
})

/** A key pair of the built-in issuer. The newest signs; an older one verifies until `verifiesUntil`. */
export class SigningKey extends SigningKeySchema.class {}
SigningKeySchema.setClass(SigningKey)
