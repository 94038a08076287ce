// Vercel's AI SDK: `npm install ai @ai-sdk/openai-compatible zod`, then `node examples/ai-sdk.js [where the platform is]`.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { isStepCount, streamText, tool } from 'ai'
import { z } from 'zod'

const url = process.argv[2] ?? 'http://localhost:8000'
const guest = await (await fetch(`${url}/auth/guest-login`, { method: 'POST' })).json()

const jan = createOpenAICompatible({
  name: 'jan',
  baseURL: `${url}/v1`,
  apiKey: guest.access_token,
  includeUsage: true,
})
const { textStream, usage } = streamText({
  model: jan('jan-v1-4b'),
  tools: {
    weather: tool({
      description: 'The weather of a city',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `It is sunny in ${city}.`,
    }),
  },
  stopWhen: isStepCount(3),
  prompt: 'Call weather for Hanoi.',
})
for await (const text of textStream) process.stdout.write(text)
console.log(`\n${(await usage).totalTokens} tokens`)
