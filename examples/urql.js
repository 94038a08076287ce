// urql, subscriptions by graphql-sse: `npm install @urql/core graphql-sse graphql`, then `node examples/urql.js [where the platform is]`.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { createClient } from 'graphql-sse'

const url = process.argv[2] ?? 'http://localhost:8000'
const guest = await (await fetch(`${url}/auth/guest-login`, { method: 'POST' })).json()
const headers = { authorization: `Bearer ${guest.access_token}` }

const sse = createClient({ url: `${url}/graphql/stream`, headers })
const client = new Client({
  url: `${url}/graphql`,
  fetchOptions: { headers },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (operation) => ({
        subscribe: (sink) => ({ unsubscribe: sse.subscribe(operation, sink) }),
      }),
    }),
  ],
})

const { data, error } = await client.query('{ models(first: 3) { nodes { id } } }', {}).toPromise()
if (error) throw error
console.log(data.models.nodes.map(({ id }) => id).join(', '))

const subscription = `subscription ($input: ChatCompletionInput!) { chatCompletion(input: $input) { content finishReason } }`
const input = { model: 'jan-v1-4b', messages: [{ role: 'USER', content: 'How do I make lasagna?' }] }
client.subscription(subscription, { input }).subscribe((result) => {
  if (result.error) throw result.error
  process.stdout.write(result.data.chatCompletion.content ?? '')
})
