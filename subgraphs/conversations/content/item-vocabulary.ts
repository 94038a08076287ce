/** The types that items have (contract 3.3), with former names that clients still send, and newer ones of OpenAI's clients, which are kept as they are. */
const types = new Set([
  'message',
  'function_call',
  'function_call_output',
  'reasoning',
  'file_search_call',
  'web_search_call',
  'image_generation_call',
  'image_edit_call',
  'computer_call',
  'computer_call_output',
  'code_interpreter_call',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'mcp_call',
  'custom_tool_call',
  'custom_tool_call_output',
  'file_search',
  'web_search',
  'code_interpreter',
  'computer_use',
  'mcp_item',
  'image_generation',
  'tool_search_call',
  'tool_search_output',
  'additional_tools',
  'configuration_update',
  'program',
  'program_output',
  'compaction',
])

const roles = new Set([
  'system',
  'user',
  'assistant',
  'tool',
  'developer',
  'critic',
  'discriminator',
  'unknown',
])

const statuses = new Set([
  'incomplete',
  'in_progress',
  'completed',
  'failed',
  'cancelled',
  'searching',
  'generating',
  'calling',
  'streaming',
  'rate_limited',
])

export const isItemType = (type: string): boolean => types.has(type)
export const isItemRole = (role: string): boolean => roles.has(role)
export const isItemStatus = (status: string): boolean => statuses.has(status)
