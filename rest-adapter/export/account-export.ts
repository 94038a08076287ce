import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { RequestContext } from '../../platform/context.ts'
import { type ErrorCode, toAppError } from '../../platform/errors.ts'
import {
  ApiKeysDocument,
  BranchesDocument,
  type ConversationFieldsFragment,
  ExportConversationsDocument,
  ExportItemsDocument,
  ExportMediaDocument,
  ExportMemoriesDocument,
  ExportProfileDocument,
  ExportProjectsDocument,
  ExportSessionsDocument,
  ExportSharesDocument,
  ExportUsageDocument,
  UserSettingsDocument,
} from '../operations.generated.ts'
import { profileJson } from '../present/account-export.ts'
import { keyJson } from '../present/api-key.ts'
import { branchJson } from '../present/branch.ts'
import { conversationJson } from '../present/conversation.ts'
import { itemJson } from '../present/item.ts'
import { mediaJson } from '../present/media.ts'
import { memoryJson } from '../present/memory.ts'
import { projectJson } from '../present/project.ts'
import { sessionJson } from '../present/session.ts'
import { shareJson } from '../present/share.ts'
import { usageJson } from '../present/usage-record.ts'
import { settingsJson } from '../present/user-settings.ts'
import { metaOf, unixSeconds } from '../shapes.ts'
import { arrayOf, extended, type JsonPieces, objectOf, wholeOf } from './json-pieces.ts'
import { type KeysetPage, keysetWalk, type PageStart } from './keyset-walk.ts'

const pageSize = 50
/** Items may be large: pictures can be in them. */
const itemPageSize = 20

/** Asks the graph as the caller. */
type Read = <Result, Variables>(
  operation: TypedDocumentNode<Result, Variables>,
  variables: Variables,
) => Promise<Result>

/** Everything of the caller's, as one JSON document. What it says is read from the graph as it is taken. */
export function accountExport(context: RequestContext, now: Date): JsonPieces {
  const read = reader(context)
  return objectOf([
    ['object', wholeOf(() => 'user.export')],
    ['exported_at', wholeOf(() => unixSeconds(now.toISOString()))],
    ['meta', wholeOf(() => metaOf(context.requestId))],
    ['user', wholeOf(async () => profileJson((await read(ExportProfileDocument, {})).me))],
    ['settings', wholeOf(async () => settingsJson((await read(UserSettingsDocument, {})).userSettings))],
    ['api_keys', wholeOf(async () => (await read(ApiKeysDocument, {})).apiKeys.map(keyJson))],
    [
      'sessions',
      wholeOf(async () => (await read(ExportSessionsDocument, {})).exportSessions.map(sessionJson)),
    ],
    ['projects', projectsOf(read)],
    ['shares', sharesOf(read)],
    ['memories', memoriesOf(read)],
    ['media', mediaOf(read)],
    ['usage', usageOf(read)],
    ['conversations', conversationsOf(read)],
  ])
}

/**
 * Every operation runs in a scope of its own. In that of the request, loaders would keep all that was ever read, and
 * the token that speaks for the actor between processes would expire before a slow reader is done.
 */
function reader(context: RequestContext): Read {
  return (operation, variables) => {
    const { actor } = context
    return context.graph.execute(operation, variables, { ...context, actor: actor && { ...actor } })
  }
}

function projectsOf(read: Read): JsonPieces {
  const projects = keysetWalk(pageSize, async (start) => (await read(ExportProjectsDocument, start)).projects)
  return arrayOf(projects, (project) => wholeOf(() => projectJson(project)))
}

function sharesOf(read: Read): JsonPieces {
  const shares = keysetWalk(pageSize, async (start) => (await read(ExportSharesDocument, start)).exportShares)
  return arrayOf(shares, (share) => wholeOf(() => shareJson(share)))
}

/** In one piece, which its limits keep small: as it was at one moment, whatever is forgotten meanwhile. */
function memoriesOf(read: Read): JsonPieces {
  return wholeOf(async () => (await read(ExportMemoriesDocument, {})).exportMemories.map(memoryJson))
}

/** With links to their bytes. */
function mediaOf(read: Read): JsonPieces {
  const media = mendedWalk(
    async (start) => (await read(ExportMediaDocument, { ...start, expiresIn: null })).mediaList,
    ({ id }) => id,
  )
  return arrayOf(media, (one) => wholeOf(() => mediaJson(one)))
}

function usageOf(read: Read): JsonPieces {
  const records = keysetWalk(pageSize, async (start) => (await read(ExportUsageDocument, start)).exportUsage)
  return arrayOf(records, (record) => wholeOf(() => usageJson(record)))
}

function conversationsOf(read: Read): JsonPieces {
  const conversations = keysetWalk(
    pageSize,
    async (start) => (await read(ExportConversationsDocument, start)).conversations,
  )
  return arrayOf(conversations, (conversation) =>
    extended(conversationJson(conversation), 'branches', branchesOf(read, conversation)),
  )
}

/**
 * A list whose objects, and with them their cursors, may be deleted while it is read. Where that of a page's end is gone, it begins again,
 * without those that it has had.
 */
async function* mendedWalk<Node>(
  readPage: (start: PageStart) => Promise<KeysetPage<Node> | null>,
  idOf: (node: Node) => string,
): AsyncGenerator<Node, void> {
  const nodes = keysetWalk(
    pageSize,
    async (start) =>
      (await unless('invalid_cursor', () => readPage(start))) ?? readPage({ ...start, after: null }),
  )
  const seen = new Set<string>()
  for await (const node of nodes) {
    const id = idOf(node)
    if (seen.has(id)) continue
    seen.add(id)
    yield node
  }
}

function branchesOf(read: Read, { id }: ConversationFieldsFragment): JsonPieces {
  const branches = mendedWalk(
    async (start) => (await read(BranchesDocument, { id, ...start })).conversation?.branchPage ?? null,
    ({ name }) => name,
  )
  return arrayOf(branches, (branch) => extended(branchJson(branch), 'items', itemsOf(read, id, branch.name)))
}

/** What is deleted meanwhile ends where it was deleted. */
function itemsOf(read: Read, id: string, branch: string): JsonPieces {
  const items = keysetWalk(itemPageSize, (start) =>
    unless('not_found', async () => {
      const { conversation } = await read(ExportItemsDocument, { id, branch, ...start })
      return conversation?.items ?? null
    }),
  )
  return arrayOf(items, (item) => wholeOf(() => itemJson(item)))
}

/** What `read` gives; null where it is refused for this reason. */
async function unless<Page>(code: ErrorCode, read: () => Promise<Page>): Promise<Page | null> {
  try {
    return await read()
  } catch (thrown) {
    if (toAppError(thrown).code === code) return null
    throw thrown
  }
}
