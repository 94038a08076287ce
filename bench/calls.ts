/** A request, as far as it does not depend on who is asked. */
export interface Call {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A call of the OpenAI API. */
export function completionCall(body: string): Call {
  return { path: '/v1/chat/completions', body }
}

/** A call of a graph by POST. */
export function graphCall(query: string, variables: object = {}): Call {
  return {
    path: '/graphql',
    headers: { accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  }
}

/** A subscription over graphql-sse. */
export function subscriptionCall(query: string, variables: object): Call {
  return {
    path: '/graphql/stream',
    headers: { accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables }),
  }
}
