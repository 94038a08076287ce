import { z } from 'zod'

/** Why an answer stopped (contract 2.1); `function_call` is the forerunner of `tool_calls`. */
export const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'])
