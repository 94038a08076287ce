import { createClient } from 'graphql-sse'
import type { TestClient } from './client.ts'

/** A subscription whose events are read one by one. */
export interface LiveReader<Event> {
  /** The next event; undefined at the end of the stream. */
  next(): Promise<Event | undefined>
  leave(): void
}

/** Opens a subscription over graphql-sse; settles when the server has begun to answer. */
export async function liveReader<Event>(
  url: string,
  client: TestClient,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<LiveReader<Event>> {
  let stands: () => void = () => undefined
  const standing = new Promise<void>((resolve) => {
    stands = resolve
  })
  const sse = createClient({
    url: `${url}/graphql/stream`,
    headers: { ...client.headers },
    retryAttempts: 0,
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init)
      stands()
      return response
    },
  })
  const events = sse.iterate<Record<string, Event>>({ query, variables })
  let first: Promise<IteratorResult<{ data?: Record<string, Event> | null }>> | undefined = events.next()
  await standing
  return {
    async next() {
      const step = await (first ?? events.next())
      first = undefined
      if (step.done) return undefined
      const { data, errors } = step.value as { data?: Record<string, Event>; errors?: unknown }
      if (errors) throw new Error(JSON.stringify(errors))
      return Object.values(data ?? {})[0]
    },
    leave: () => sse.dispose(),
  }
}
