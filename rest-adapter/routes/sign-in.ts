import type { Response } from 'express'
import { z } from 'zod'
import { FinishSignInDocument, StartSignInDocument } from '../operations.generated.ts'
import { handlerRoute, type Route, route } from '../route.ts'

const tag = 'Authentication'

const callbackQuery = z.object({
  code: z.string().optional().describe('The authorization code.'),
  state: z.string().optional().describe('The state of the sign-in.'),
  error: z.string().optional().describe('Why there is no code.'),
  error_description: z.string().optional().describe('The same for people; not passed on.'),
})

/** Contract 1.2: sign-in by browser at the identity provider. */
export const signInRoutes: readonly Route[] = [
  loginRoute('/auth/login', 'startSignIn'),
  loginRoute('/auth/keycloak/login', 'startKeycloakSignIn'),
  callbackRoute('/auth/callback', 'finishSignIn'),
  callbackRoute('/auth/keycloak/callback', 'finishKeycloakSignIn'),
]

function loginRoute(path: string, operationId: string): Route {
  return route({
    method: 'get',
    path,
    operationId,
    summary: 'Begin a sign-in at the identity provider',
    failures: ['service_unavailable'],
    tag,
    access: 'public',
    query: z.object({
      redirect_url: z.string().optional().describe('Where the browser is sent with the tokens.'),
    }),
    operation: StartSignInDocument,
    variables: ({ query }) => ({ redirectUrl: query.redirect_url }),
    present: ({ startSignIn }, _input, response) => {
      keptSecret(response)
      return { authorization_url: startSignIn.authorizationUrl, state: startSignIn.state }
    },
    response: z.object({ authorization_url: z.url(), state: z.string() }).meta({
      examples: [
        {
          authorization_url:
            'https://id.example.com/authorize?response_type=code&client_id=jan-client&state=q3Vw',
          state: 'q3Vw',
        },
      ],
    }),
  })
}

function callbackRoute(path: string, operationId: string): Route {
  return handlerRoute<undefined, z.output<typeof callbackQuery>>({
    method: 'get',
    path,
    operationId,
    summary: 'End a sign-in: where the identity provider sends the browser back to',
    tag,
    access: 'public',
    status: 302,
    query: callbackQuery,
    async handle({ query: { code, state, error }, context }, response) {
      const { finishSignIn } = await context.graph.execute(
        FinishSignInDocument,
        { input: { code, state, error } },
        context,
      )
      keptSecret(response)
      response.redirect(302, finishSignIn.location)
    },
  })
}

/** Neither a cache nor the next page may learn what is in the addresses of a sign-in. */
function keptSecret(response: Response): void {
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('Referrer-Policy', 'no-referrer')
}
