// Apollo Client: `npm install @apollo/client graphql rxjs`, then `node examples/apollo-client.js [where the platform is]`.
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'

const url = process.argv[2] ?? 'http://localhost:8000'
const guest = await (await fetch(`${url}/auth/guest-login`, { method: 'POST' })).json()

const client = new ApolloClient({
  link: new HttpLink({
    uri: `${url}/graphql`,
    headers: { authorization: `Bearer ${guest.access_token}` },
  }),
  cache: new InMemoryCache(),
})
const chunks = client.subscribe({
  query: gql`
    subscription {
      chatCompletion(
        input: { model: "jan-v1-4b", conversation: {}, messages: [{ role: USER, content: "How do I make lasagna?" }] }
      ) {
        content
      }
    }
  `,
})
await new Promise((resolve, reject) => {
  chunks.subscribe({
    next: ({ data, error }) =>
      error ? reject(error) : process.stdout.write(data.chatCompletion.content ?? ''),
    error: reject,
    complete: resolve,
  })
})

const { data } = await client.query({
  query: gql`
    {
      conversations(first: 1) {
        nodes {
          title
          items(first: 10) {
            nodes {
              role
              model {
                displayName
              }
            }
          }
        }
      }
    }
  `,
})
console.log(`\n${JSON.stringify(data.conversations.nodes[0])}`)
client.stop()
