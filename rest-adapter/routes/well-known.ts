import { z } from 'zod'
import { AppError } from '../../platform/errors.ts'
import { IssuerKeysDocument, IssuerMetadataDocument } from '../operations.generated.ts'
import { type Route, route } from '../route.ts'

const tag = 'Discovery'

/** Verifiers may keep these for five minutes: a rotated key verifies longer than that, and a new one makes them ask again. */
const cacheControl = 'public, max-age=300'

/** What other services verify the platform's tokens with (contract 1.5). */
export const wellKnownRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/.well-known/jwks.json',
    summary: 'The public keys of the built-in issuer',
    tag,
    access: 'public',
    operation: IssuerKeysDocument,
    variables: () => ({}),
    present: ({ jwks }, _input, response) => {
      response.setHeader('Cache-Control', cacheControl)
      return jwks ?? switchedOff()
    },
    response: z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) }).meta({
      examples: [
        {
          keys: [
            {
              kid: 'mq9WSG3XcYsfTcYqBEFi_n_8T21oDpTdaA5VDq6k2ow',
              kty: 'EC',
              crv: 'P-256',
              alg: 'ES256',
              use: 'sig',
              x: 'jLyz16CZeZF21cIj-VyRwlSFftzNTn4cXaqZCh-KDJg',
              y: 'd05zz1PgizIWOmhkk4bMHz3PjLHYPxJUOdt-EJ-Jcy8',
            },
          ],
        },
      ],
    }),
    failures: ['not_found'],
  }),
  route({
    method: 'get',
    path: '/.well-known/openid-configuration',
    summary: 'The metadata of the built-in issuer',
    tag,
    access: 'public',
    operation: IssuerMetadataDocument,
    variables: () => ({}),
    present: ({ openidConfiguration }, _input, response) => {
      response.setHeader('Cache-Control', cacheControl)
      return openidConfiguration ?? switchedOff()
    },
    response: z.looseObject({ issuer: z.string(), jwks_uri: z.string() }).meta({
      examples: [
        {
          issuer: 'http://localhost:8000',
          jwks_uri: 'http://localhost:8000/.well-known/jwks.json',
          id_token_signing_alg_values_supported: ['ES256'],
        },
      ],
    }),
    failures: ['not_found'],
  }),
]

function switchedOff(): never {
  throw new AppError(
    'not_found',
    'The built-in issuer is switched off: ask the identity provider of this platform.',
  )
}
