/** A tool call of an assistant's message, as OpenAI spells it. */
export interface ToolCall {
  readonly id: string
  readonly [field: string]: unknown
}

/** A chat message, as OpenAI spells it. */
export interface ChatMessage {
  readonly role: string
  readonly content: string | readonly unknown[] | null
  readonly tool_calls?: readonly ToolCall[]
  readonly tool_call_id?: string
  readonly [field: string]: unknown
}

/**
 * Puts the result of every tool call right behind the message that made it, for providers refuse anything else: results
 * without a call go, and so do calls that were never answered, unless the request answers them now.
 * @param outputs results that are known from the calls' own items, by call id
 * @param openCalls the calls that the request answers; null: those of the last assistant message
 */
export function pairedMessages(
  messages: readonly ChatMessage[],
  outputs: ReadonlyMap<string, string>,
  openCalls: readonly string[] | null,
): ChatMessage[] {
  const results = resultsByCaller(messages)
  const resultOf = (index: number, id: string): ChatMessage | undefined => {
    const known = outputs.get(id)
    return (
      results.get(`${index}/${id}`) ??
      (known === undefined ? undefined : { role: 'tool', tool_call_id: id, content: known })
    )
  }
  const open = openCalls && new Set(openCalls)
  const lastSpoken = messages.findLastIndex(({ role }) => role !== 'tool')

  return messages.flatMap((message, index) => {
    if (message.role === 'tool') return []
    const { tool_calls: calls, ...spoken } = message
    if (calls === undefined) return [message]
    const mayStayOpen = ({ id }: ToolCall) => (open ? open.has(id) : index === lastSpoken)
    const kept = calls.filter((call) => resultOf(index, call.id) || mayStayOpen(call))
    const answers = kept.flatMap(({ id }) => resultOf(index, id) ?? [])
    if (kept.length > 0) return [{ ...message, tool_calls: kept }, ...answers]
    return spoken.content === null ? [] : [spoken]
  })
}

/** Results under `<index of the calling message>/<call id>`: some runtimes give every turn the same call ids. */
function resultsByCaller(messages: readonly ChatMessage[]): Map<string, ChatMessage> {
  const callers = new Map<string, number>()
  const results = new Map<string, ChatMessage>()
  for (const [index, message] of messages.entries()) {
    for (const { id } of message.tool_calls ?? []) callers.set(id, index)
    const caller = message.role === 'tool' ? callers.get(message.tool_call_id ?? '') : undefined
    if (caller !== undefined) results.set(`${caller}/${message.tool_call_id}`, message)
  }
  return results
}
