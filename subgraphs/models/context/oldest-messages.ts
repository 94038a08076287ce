import type { JsonObject } from '../providers/index.ts'
import { callsOf, fixedTokensOf, textsOf } from './message-text.ts'
import type { TokenCounter } from './token-counter.ts'

/**
 * The newest messages that fit into so many tokens. Instructions and what the user said last stay, whatever they cost; a
 * call of tools goes together with its results, and what then begins the conversation is something that a user said:
 * templates of models refuse anything else. The same list where all fit.
 * @param other texts that cost as well
 */
export async function newestMessages(
  messages: readonly JsonObject[],
  other: readonly string[],
  tokens: number,
  counter: TokenCounter,
): Promise<readonly JsonObject[]> {
  const latest = latestUserMessage(messages)
  const isKept = (at: number) => isInstruction(messages[at]) || at === latest
  const all = messages.map((_, at) => at)
  const exchanges = exchangesOf(
    messages,
    all.filter((at) => !isKept(at)),
  )
  const inOrder = [...all.filter(isKept), ...exchanges.flat()]
  const texts = inOrder.map((at) => textsOf(messages[at] ?? {}).join(''))
  const counted = await counter.count([...other, ...texts], tokens)
  const costs = new Map(
    inOrder.map((at, place) => [
      at,
      (counted[other.length + place] ?? 0) + fixedTokensOf(messages[at] ?? {}),
    ]),
  )
  const costOf = (places: readonly number[]) => places.reduce((sum, at) => sum + (costs.get(at) ?? 0), 0)
  let room = other.reduce((left, _, at) => left - (counted[at] ?? 0), tokens) - costOf(all.filter(isKept))
  const fits = (exchange: readonly number[]) => {
    room -= costOf(exchange)
    return room >= 0
  }
  const firstLeftOut = exchanges.findIndex((exchange) => !fits(exchange))
  if (firstLeftOut === -1) return messages
  const kept = new Set([...all.filter(isKept), ...exchanges.slice(0, firstLeftOut).flat()])
  const begin = all.find((at) => kept.has(at) && messages[at]?.role === 'user') ?? 0
  return messages.filter((_, at) => kept.has(at) && (at >= begin || isKept(at)))
}

/** Where the user spoke last; -1 where nobody did. */
export function latestUserMessage(messages: readonly JsonObject[]): number {
  return messages.findLastIndex(({ role }) => role === 'user')
}

function isInstruction(message: JsonObject | undefined): boolean {
  return message?.role === 'system' || message?.role === 'developer'
}

/** What can only be left out together, the newest first: a message, or calls of tools with all their results. */
function exchangesOf(messages: readonly JsonObject[], places: readonly number[]): number[][] {
  const exchanges: number[][] = []
  const callers = new Map<unknown, number[]>()
  for (const at of places) {
    const message = messages[at] ?? {}
    const called = message.role === 'tool' ? callers.get(message.tool_call_id) : undefined
    const named = message.role === 'function' ? callers.get(`function ${message.name}`) : undefined
    const caller = called ?? named
    if (caller) {
      caller.push(at)
      continue
    }
    const exchange = [at]
    exchanges.push(exchange)
    for (const { id } of callsOf(message)) callers.set(id, exchange)
    const { function_call: call } = message as { function_call?: { name?: unknown } }
    if (call) callers.set(`function ${call.name}`, exchange)
  }
  return exchanges.reverse()
}
