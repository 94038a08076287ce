import type { Behaviour, RecordedRequest } from './fake-provider.ts'

/** What the model that reads conversations was asked, as far as tests look at it. */
export interface AskedToLearn {
  readonly known: readonly { readonly number: number; readonly key: string; readonly text: string }[]
  readonly in_project: boolean
  readonly conversation: readonly { readonly role: string; readonly content: string }[]
}

/** What a model may have understood; what is left out is empty. */
export interface Understood {
  readonly user_facts?: readonly object[]
  readonly project_facts?: readonly object[]
  readonly no_longer_true?: readonly number[]
  readonly episode?: string
}

/** What a request asks a model to learn from; null for any other request. */
export function askedToLearn({ json }: RecordedRequest): AskedToLearn | null {
  const format = json?.response_format as { readonly json_schema?: { readonly name?: string } } | undefined
  if (format?.json_schema?.name !== 'memories') return null
  const messages = json?.messages as { readonly content: string }[]
  return JSON.parse(messages[1]?.content ?? '') as AskedToLearn
}

/**
 * A provider for memory: reads conversations by `understand`, and makes vectors by `meaning`. Everything else is answered as
 * usual.
 */
export function memoryProvider(
  understand: (asked: AskedToLearn) => Understood | string | Promise<Understood | string>,
  meaning: (text: string) => readonly number[] = () => [1],
): (request: RecordedRequest) => Promise<Behaviour | null> {
  return async (request) => {
    if (request.path.startsWith('/v1/embeddings')) {
      const input = request.json?.input as string[]
      const data = input.map((text, index) => ({ object: 'embedding', index, embedding: meaning(text) }))
      return { body: { object: 'list', data, model: request.json?.model } }
    }
    const asked = askedToLearn(request)
    if (!asked) return null
    const understood = await understand(asked)
    if (typeof understood === 'string') return { text: understood }
    const nothing = { user_facts: [], project_facts: [], no_longer_true: [], episode: '' }
    return { text: JSON.stringify({ ...nothing, ...understood }) }
  }
}
