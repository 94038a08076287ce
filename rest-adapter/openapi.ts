import { errorSchema, failureResponses } from './openapi/failures.ts'
import { headerParameters, responseHeaders } from './openapi/headers.ts'
import { operationOf } from './openapi/operation.ts'
import { openApiPath } from './openapi/parameters.ts'
import { schemaCollection } from './openapi/schemas.ts'
import type { Route } from './route.ts'

/** An OpenAPI 3.1 document, as plain JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>

const introduction = `An OpenAI-compatible API for chat completions, conversations, projects and models: a translation onto one federated
GraphQL graph, which is at \`/graphql\`.

**Credentials.** \`POST /auth/guest-login\` gives a token without any; send it as \`Authorization: Bearer …\`. API keys (\`sk_…\`) go there
too, or into \`X-API-Key\`.

**Answers.** Where OpenAI has a shape, the body is exactly that. Elsewhere a resource's fields stand at the top and again under \`data\`.
Lists are pages: pass \`next_after\` as \`after\` to go on. Fields may be added to answers at any time.

**Prefixes.** Every path under \`/v1\` and \`/auth\` is also served under \`/llm\`, and \`/auth\` under \`/v1/auth\`.`

/** What each group of routes is about. */
const tagTexts: Readonly<Record<string, string>> = {
  Chat: 'Asking models, whole or streamed, with tools and with conversations.',
  Models: 'Which models answer, what is known of them and where they come from.',
  Embeddings: 'Texts as vectors.',
  Images: 'Pictures of prompts, and of other pictures.',
  Authentication: 'Guests, sessions, sign-in at an identity provider, and who somebody is.',
  'API keys': 'Keys for programs.',
  Settings: 'How somebody wants to be answered, and what is switched on for them.',
  'Prompt templates': 'The texts that go before conversations, and which of them models have of their own.',
  Discovery: 'What other services need to know of this platform.',
  Media: 'Images and other files, and the links to them.',
  Memory: 'What is remembered of you and your projects, across conversations.',
  Projects: 'Groups of conversations with an instruction of their own.',
  Conversations: 'What is kept of the talk with models.',
  Branches: 'The branches of a conversation: forks that share items and part ways.',
  Shares: 'Public links to snapshots of conversations.',
  Items: 'The messages, calls and results of a conversation.',
}

/** Where routes are served: an address, or a path relative to where the document is. */
export interface Server {
  readonly url: string
  readonly description: string
}

/** The document of exactly the routes that serve. */
export function openApiDocument(routes: readonly Route[], servers: readonly Server[]): OpenApiDocument {
  const schemas = schemaCollection()
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const path = openApiPath(route.path)
    paths[path] = { ...paths[path], [route.method]: operationOf(route, schemas) }
  }
  const failure = schemas.jsonSchema(errorSchema, 'output')
  return {
    openapi: '3.1.0',
    info: {
      title: 'Jan Graph',
      version: '1',
      summary: 'A self-hosted, OpenAI-compatible AI platform.',
      description: introduction,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers,
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name, description: tagTexts[name] })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token of `POST /auth/guest-login` or of a sign-in, or an API key.',
        },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key: `sk_…`.' },
      },
      parameters: headerParameters,
      headers: responseHeaders,
      responses: {
        ...failureResponses(routes, failure),
        Failure: {
          description: 'Any other failure.',
          content: { 'application/json': { schema: failure } },
        },
      },
      schemas: schemas.components,
    },
  }
}
