/** What a benched request may ask for. */
export interface CompletionOptions {
  readonly messages?: number
  /** Chunks of a stream; a plain answer where it is left out. */
  readonly chunks?: number
  readonly paced?: boolean
  readonly conversation?: { readonly id?: string }
}

/** The body of a chat completion with messages of an ordinary length (90 characters). */
export function completionBody({
  messages = 2,
  chunks,
  paced,
  conversation,
}: CompletionOptions = {}): string {
  return JSON.stringify({
    model: paced ? 'mock-paced' : 'mock-fast',
    messages: Array.from({ length: messages }, (_, at) => ({
      role: at === messages - 1 ? 'user' : at === 0 ? 'system' : at % 2 ? 'user' : 'assistant',
      content: `${at}: The quick brown fox jumps over the lazy dog, and the dog does not even look up at it.`,
    })),
    temperature: 0.7,
    ...(chunks === undefined ? {} : { stream: true, max_tokens: chunks }),
    ...(conversation ? { conversation } : {}),
  })
}
