import type { RequestContext } from '../../platform/context.ts'
import type { Route } from '../route.ts'
import type { LimitedRoute, RateLimits } from './rate-limits.ts'

/** Root fields that do what a route does, and count as it. */
const routeOfField: Readonly<Record<string, string>> = {
  createChatCompletion: 'post /v1/chat/completions',
  chatCompletion: 'post /v1/chat/completions',
  createEmbeddings: 'post /v1/embeddings',
  guestLogin: 'post /auth/guest-login',
  updateUserSettings: 'patch /v1/users/me/settings',
  createPromptTemplate: 'post /v1/admin/prompt-templates',
  updatePromptTemplate: 'patch /v1/admin/prompt-templates/:template_id',
  deletePromptTemplate: 'delete /v1/admin/prompt-templates/:template_id',
  duplicatePromptTemplate: 'post /v1/admin/prompt-templates/:template_id/duplicate',
  assignPromptTemplate: 'post /v1/admin/models/prompt-templates/assign/*model',
  updateModelPromptTemplate: 'patch /v1/admin/models/prompt-templates/update/:template_key/*model',
  unassignPromptTemplate: 'delete /v1/admin/models/prompt-templates/unassign/:template_key/*model',
  deleteAccount: 'delete /v1/users/me',
  createConversation: 'post /v1/conversations',
  updateConversation: 'patch /v1/conversations/:conversation_id',
  deleteConversation: 'delete /v1/conversations/:conversation_id',
  deleteConversations: 'delete /v1/conversations',
  addItems: 'post /v1/conversations/:conversation_id/items',
  recallMemory: 'post /v1/memory/load',
  observeConversation: 'post /v1/memory/observe',
  upsertMemories: 'post /v1/memory/user/upsert',
  upsertProjectMemories: 'post /v1/memory/project/upsert',
  updateMemory: 'patch /v1/memory/:memory_id',
  deleteMemories: 'delete /v1/memory/delete',
  testMemoryEmbedding: 'post /v1/embed/test',
  deleteItem: 'delete /v1/conversations/:conversation_id/items/:item_id',
}

/** Charges callers of the graph for the fields that they start, as if they had asked the routes that do the same. */
export function graphCharge(limits: RateLimits, routes: readonly Route[]) {
  const known = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]))
  const limited = (field: string): LimitedRoute =>
    known.get(routeOfField[field] ?? '') ?? {
      method: 'mutation',
      path: field,
      rate: { perMinute: 100, cost: 1 },
    }
  return async (fields: readonly string[], { actor, client }: RequestContext): Promise<void> => {
    const caller = { actor, ip: client.ip, family: undefined }
    await limits.admitFields(fields.map(limited), caller)
  }
}
