import type { JsonObject } from '../providers/index.ts'
import { textLimits } from './limits.ts'
import { isObject } from './message-text.ts'

/** A text that may not be longer than so many tokens. */
export interface LimitedText {
  readonly text: string
  readonly tokens: number
  /** Whether it is JSON, and has to stay JSON. */
  readonly isJson: boolean
}

/** Gives what is to stand in a text's place: the same text where nothing is to be changed. */
export type Shorten = (limited: LimitedText) => string

/**
 * Shows `shorten` every text of a message that has a limit (contract 2.1). Gives the same message where no text changes.
 * @param isLatest whether it is what the user said last, which has none
 */
export function mapLimitedTexts(message: JsonObject, isLatest: boolean, shorten: Shorten): JsonObject {
  const { role } = message
  if (role === 'system' || role === 'developer' || isLatest) return message
  const content = limitedContent(message, shorten)
  const calls = mapList(message.tool_calls, (call) => limitedCall(call, shorten))
  const called = limitedArguments(message.function_call, shorten)
  const same = content === message.content && calls === message.tool_calls && called === message.function_call
  if (same) return message
  return {
    ...message,
    content,
    ...(calls === undefined ? {} : { tool_calls: calls }),
    ...(called === undefined ? {} : { function_call: called }),
  }
}

function limitedContent({ role, content }: JsonObject, shorten: Shorten): unknown {
  if (typeof content !== 'string')
    return mapList(content, (part) => limitedField(part, 'text', textLimits.part, shorten))
  const tokens = wholeTextLimit(role)
  return tokens === null ? content : shorten({ text: content, tokens, isJson: false })
}

/** What the assistant said itself has no limit. */
function wholeTextLimit(role: unknown): number | null {
  if (role === 'user') return textLimits.user
  return role === 'tool' || role === 'function' ? textLimits.toolResult : null
}

function limitedCall(call: unknown, shorten: Shorten): unknown {
  if (!isObject(call)) return call
  const called = limitedArguments(call.function, shorten)
  const custom = limitedField(call.custom, 'input', textLimits.toolArguments, shorten)
  if (called === call.function && custom === call.custom) return call
  return {
    ...call,
    ...(called === undefined ? {} : { function: called }),
    ...(custom === undefined ? {} : { custom }),
  }
}

function limitedArguments(called: unknown, shorten: Shorten): unknown {
  return limitedField(called, 'arguments', textLimits.toolArguments, shorten, true)
}

function limitedField(
  holder: unknown,
  field: string,
  tokens: number,
  shorten: Shorten,
  isJson = false,
): unknown {
  const text = isObject(holder) ? holder[field] : undefined
  if (!isObject(holder) || typeof text !== 'string') return holder
  const short = shorten({ text, tokens, isJson })
  return short === text ? holder : { ...holder, [field]: short }
}

/** The same list where no element changes; what is no list stays as it is. */
function mapList(list: unknown, map: (element: unknown) => unknown): unknown {
  if (!Array.isArray(list)) return list
  const mapped = list.map(map)
  return mapped.some((element, at) => element !== list[at]) ? mapped : list
}
