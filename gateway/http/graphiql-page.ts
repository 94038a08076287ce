import type { RequestHandler } from 'express'

let page: string | undefined

/** GraphiQL in one self-contained page: for machines that can't reach Apollo's hosted Sandbox. Loaded when first asked for: it is 9 MB. */
export const graphiqlPage: RequestHandler = async (_request, response) => {
  page ??= await render()
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Cache-Control', 'max-age=3600')
  response.end(page)
}

const firstOperation = `# Sign in as a guest, then put the token under Headers: {"Authorization": "Bearer <accessToken>"}
mutation SignIn {
  guestLogin {
    accessToken
  }
}

query Models {
  models(first: 20) {
    nodes {
      id
      displayName
    }
  }
}

subscription Ask {
  chatCompletion(input: { model: "jan-v1-4b", messages: [{ role: USER, content: "Hello!" }] }) {
    content
  }
}
`

async function render(): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  return renderGraphiQL({
    title: 'Jan GraphiQL',
    endpoint: '/graphql',
    subscriptionsProtocol: 'GRAPHQL_SSE',
    defaultQuery: firstOperation,
  })
}
