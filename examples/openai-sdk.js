// The official OpenAI SDK: `npm install openai`, then `node examples/openai-sdk.js [where the platform is]`.
import OpenAI from 'openai'

const url = process.argv[2] ?? 'http://localhost:8000'
const guest = await (await fetch(`${url}/auth/guest-login`, { method: 'POST' })).json()

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: guest.access_token })
const stream = await client.chat.completions.create({
  model: 'jan-v1-4b',
  messages: [{ role: 'user', content: 'How do I make lasagna?' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
