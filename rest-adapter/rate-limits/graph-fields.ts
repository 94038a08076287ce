import type { RequestContext } from '../../platform/context.ts'
import type { Route } from '../route.ts'
import type { Caller, LimitedRoute } from './caller-draws.ts'
import type { RateLimits } from './rate-limits.ts'

/** Root fields that do what a route does, and count as it. */
const routeOfField: Readonly<Record<string, string>> = {
  createChatCompletion: 'post /v1/chat/completions',
  chatCompletion: 'post /v1/chat/completions',
  generateImages: 'post /v1/images/generations',
  editImages: 'post /v1/images/edits',
  createMedia: 'post /v1/media',
  prepareMediaUpload: 'post /v1/media/prepare-upload',
  deleteMedia: 'post /v1/media/bulk-delete',
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
  shareConversation: 'post /v1/conversations/:conversation_id/share',
  shareItem: 'post /v1/conversations/:conversation_id/items/:item_id/share',
  revokeShare: 'delete /v1/shares/:share_id',
  recallMemory: 'post /v1/memory/load',
  observeConversation: 'post /v1/memory/observe',
  upsertMemories: 'post /v1/memory/user/upsert',
  upsertProjectMemories: 'post /v1/memory/project/upsert',
  updateMemory: 'patch /v1/memory/:memory_id',
  deleteMemories: 'delete /v1/memory/delete',
  testMemoryEmbedding: 'post /v1/embed/test',
  deleteItem: 'delete /v1/conversations/:conversation_id/items/:item_id',
  editItem: 'post /v1/conversations/:conversation_id/items/:item_id/edit',
  prepareRegeneration: 'post /v1/conversations/:conversation_id/items/:item_id/edit',
  regenerate: 'post /v1/conversations/:conversation_id/items/:item_id/regenerate',
  regeneration: 'post /v1/conversations/:conversation_id/items/:item_id/regenerate',
  bulkDeleteConversations: 'post /v1/conversations/bulk-delete',
  rateItem: 'post /v1/conversations/:conversation_id/items/:item_id/rating',
  unrateItem: 'delete /v1/conversations/:conversation_id/items/:item_id/rating',
  reportToolCall: 'patch /v1/conversations/:conversation_id/items/by-call-id/:call_id',
  createBranch: 'post /v1/conversations/:conversation_id/branches',
  deleteBranch: 'delete /v1/conversations/:conversation_id/branches/:branch_name',
  activateBranch: 'post /v1/conversations/:conversation_id/branches/:branch_name/activate',
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
    // How large what one field uploads is nobody knows yet.
    const caller: Caller = { actor, ip: client.ip, family: undefined, bytes: Number.POSITIVE_INFINITY }
    await limits.admitFields(fields.map(limited), caller)
  }
}
