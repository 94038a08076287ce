import { embeddingList } from '../../platform/openai/embedding-list.ts'
import { type EmbeddingRequest, embeddingRequest } from '../../platform/openai/embedding-request.ts'
import { RawBody } from '../../platform/openai/raw-body.ts'
import { EmbedDocument } from '../operations.generated.ts'
import { inferenceFailures } from '../present/inference-failures.ts'
import { sendRawBody } from '../raw-body.ts'
import { handlerRoute, type Route } from '../route.ts'

/** Contract 2.6. */
export const embeddingRoutes: readonly Route[] = [
  handlerRoute<EmbeddingRequest>({
    method: 'post',
    path: '/v1/embeddings',
    summary: 'Turn texts into vectors',
    tag: 'Embeddings',
    body: embeddingRequest,
    bodyLimit: 'large',
    // lists of tokens: a thousand texts of a thousand tokens each are one request of a usual client
    bodyValues: 2_000_000,
    response: embeddingList,
    operationId: 'createEmbeddings',
    examples: {
      text: { model: 'jan-dev-embedding', input: 'A sunny day at the beach' },
      several: { model: 'jan-dev-embedding', input: ['A sunny day', 'A rainy day'], dimensions: 64 },
    },
    failures: inferenceFailures,
    async handle({ body, rawBody, context }, response) {
      const { embed } = await context.graph.execute(
        EmbedDocument,
        { request: new RawBody(rawBody, body) },
        context,
      )
      sendRawBody(response, embed)
    },
  }),
]
