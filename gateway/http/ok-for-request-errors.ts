import type { ApolloServerPlugin } from '@apollo/server'

const requestErrorCodes = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
])

/**
 * GraphQL over HTTP, "application/json": a well-formed request whose document can't be run is answered with 200. Apollo
 * Server answers 400 for both media types; under `application/graphql-response+json` that is right.
 */
export const okForRequestErrors: ApolloServerPlugin = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response }) {
        if (response.body.kind !== 'single' || request.http?.method !== 'POST') return
        const accept = request.http.headers.get('accept') ?? ''
        if (accept.includes('application/graphql-response+json') || response.http.status !== 400) return
        const codes =
          response.body.singleResult.errors?.map(({ extensions }) => String(extensions?.code)) ?? []
        if (codes.every((code) => requestErrorCodes.has(code))) response.http.status = 200
      },
    }
  },
}
