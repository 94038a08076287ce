/** What a benched request may ask for. */
export interface CompletionOptions {
  /** What the mock upstream is to do; as fast as it can where it is left out. */
  readonly model?: MockModel
  readonly messages?: number
  /** Chunks of a stream; a plain answer where it is left out. */
  readonly chunks?: number
  readonly conversation?: { readonly id?: string }
}

/** The models of the mock upstream (`mock-upstream.ts`). */
export type MockModel = 'mock-fast' | 'mock-paced' | 'mock-stamped' | 'mock-held'

/** The body of a chat completion with messages of an ordinary length (90 characters). */
export function completionBody(options: CompletionOptions = {}): string {
  const { model = 'mock-fast', chunks, conversation } = options
  return JSON.stringify({
    model,
    messages: messagesOf(options),
    temperature: 0.7,
    ...(chunks === undefined ? {} : { stream: true, max_tokens: chunks }),
    ...(conversation ? { conversation } : {}),
  })
}

/** The same as the variables of the graph's own subscription. */
export function completionInput(options: CompletionOptions & { readonly chunks: number }) {
  const { model = 'mock-fast', chunks } = options
  const messages = messagesOf(options).map(({ role, content }) => ({ role: role.toUpperCase(), content }))
  return { model, messages, temperature: 0.7, maxTokens: chunks }
}

function messagesOf({ messages = 2 }: CompletionOptions) {
  return Array.from({ length: messages }, (_, at) => ({
    role: at === messages - 1 ? 'user' : at === 0 ? 'system' : at % 2 ? 'user' : 'assistant',
    content: `${at}: The quick brown fox jumps over the lazy dog, and the dog does not even look up at it.`,
  }))
}
