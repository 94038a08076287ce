// LangChain: `npm install @langchain/openai @langchain/core`, then `node examples/langchain.js [where the platform is]`.
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { ChatOpenAI } from '@langchain/openai'

const url = process.argv[2] ?? 'http://localhost:8000'
const guest = await (await fetch(`${url}/auth/guest-login`, { method: 'POST' })).json()

const model = new ChatOpenAI({
  model: 'jan-v1-4b',
  apiKey: guest.access_token,
  configuration: { baseURL: `${url}/v1` },
})
const prompt = ChatPromptTemplate.fromTemplate('Translate to German: {text}')
const chain = prompt.pipe(model).pipe(new StringOutputParser())
for await (const text of await chain.stream({ text: 'How do I make lasagna?' })) process.stdout.write(text)
