import { randomUUID } from 'node:crypto'
import { AppError } from '../../../../platform/errors.ts'
import type { AssembledToolCall } from '../chunk-accumulator.ts'
import type { ChatRequest, ToolDefinition } from './chat-request.ts'
import { schemaInstance } from './schema-instance.ts'

/**
 * The calls that answer a request, none for an answer in words. A call is forced by `tool_choice`, or asked for by the
 * last user message: by the function's name (also with spaces for `_` and `-`), or by "use a tool".
 * @throws AppError `invalid_parameter` where `tool_choice` names or requires a function that is not there
 */
export function toolCalls(request: ChatRequest): AssembledToolCall[] {
  const wanted = wantedTools(request)
  const called = request.parallelToolCalls ? wanted : wanted.slice(0, 1)
  return called.map((tool) => ({
    id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
    type: 'function',
    function: { name: tool.name, arguments: JSON.stringify(schemaInstance(tool.parameters)) },
  }))
}

function wantedTools({ messages, tools, toolChoice }: ChatRequest): ToolDefinition[] {
  if (toolChoice === 'none') return []
  if (typeof toolChoice === 'object') return [forced(toolChoice.name, tools)]
  const last = messages.at(-1)
  const asked = last?.role === 'user' ? askedFor(last.text, tools) : []
  if (toolChoice !== 'required' || asked.length > 0) return asked
  const [first] = tools
  if (!first)
    throw new AppError('invalid_parameter', 'tool_choice is required, but there are no tools.', {
      param: 'tool_choice',
    })
  return [first]
}

function forced(name: string, tools: readonly ToolDefinition[]): ToolDefinition {
  const tool = tools.find((candidate) => candidate.name === name)
  if (tool) return tool
  throw new AppError('invalid_parameter', 'tool_choice names a function that is not among the tools.', {
    param: 'tool_choice',
  })
}

function askedFor(text: string, tools: readonly ToolDefinition[]): ToolDefinition[] {
  const words = normalized(text)
  const named = tools.filter((tool) => words.includes(` ${normalized(tool.name).trim()} `))
  if (named.length > 0) return named
  return /\b(?:use|call) (?:a|the|your|any) (?:tool|function)s?\b/i.test(text) ? tools.slice(0, 1) : []
}

function normalized(text: string): string {
  return ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ')} `
}
