import { isDeepStrictEqual } from 'node:util'
import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import type { Block } from '../content/blocks.ts'
import { givenContent } from '../content/given-content.ts'
import type { ItemDetails } from '../content/item-draft.ts'
import { givenDetails } from '../content/item-input.ts'
import type { ChangePublisher } from '../live/change-publisher.ts'
import type { ReportToolCallInput } from '../schema.generated.ts'
import { conversationNotFound } from '../service/conversations.ts'
import type { ConversationRow } from '../sources/conversation-row.ts'
import { lockConversation } from '../sources/conversation-writes.ts'
import type { ItemRow } from '../sources/item-row.ts'
import type { ItemSource } from '../sources/items.ts'
import { endToolCall, type ToolCallRow, type ToolCallState, toolCalls } from '../sources/tool-calls.ts'
import { connection, transaction } from '../sources/transaction.ts'

/** What the rules of tool calls need. */
export interface ToolCallScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly items: ItemSource
  readonly changes: Pick<ChangePublisher, 'tell'>
}

/** What becomes of the calls that answers leave open (contract 3.6). */
export function toolCallService({ actor, database, items, changes }: ToolCallScope) {
  return {
    /** Null where no branch has such a call. */
    async byCallId(conversation: ConversationRow, callId: string): Promise<ItemRow | null> {
      const place = { conversationKey: conversation.key, branchKey: conversation.activeBranch.key }
      const call = current(await toolCalls(connection(database), place, callId))
      return call ? items.byId(conversation.ownerId, call.publicId) : null
    },

    /** @throws AppError `conversation_not_found`, `item_not_found`, `input_too_large`, `invalid_parameter` */
    async report({ conversationId, callId, ...report }: ReportToolCallInput): Promise<ItemRow> {
      const ownerId = requireActor(actor).id
      const said = {
        status: report.status.toLowerCase(),
        details: givenDetails(report, ''),
        output: report.output,
      }
      const id = await transaction(database, async (db) => {
        const conversation = (await lockConversation(db, ownerId, conversationId)) ?? conversationNotFound()
        const place = { conversationKey: conversation.key, branchKey: conversation.activeBranchKey }
        const calls = await toolCalls(db, place, callId)
        const [newest] = calls
        if (newest && isDeepStrictEqual(stateOf(newest), ended(newest, callId, said))) return newest.publicId
        const call = current(calls) ?? callNotFound()
        await endToolCall(db, call.key, ended(call, callId, said))
        return call.publicId
      })
      items.clearLoaders()
      changes.tell({ ownerId, conversationId, kind: null, items: [{ kind: 'UPDATED', id }] })
      return (await items.byId(ownerId, id)) ?? callNotFound()
    },
  }
}

/** The service of one request. */
export type ToolCallService = ReturnType<typeof toolCallService>

interface Report {
  readonly status: string
  readonly details: ItemDetails
  readonly output: unknown
}

/** The call that is meant: of several the newest, those that are open first. */
function current(calls: readonly ToolCallRow[]): ToolCallRow | undefined {
  return calls.find(({ isOpen }) => isOpen) ?? calls[0]
}

function stateOf({ status, content, details }: ToolCallRow): ToolCallState {
  return { status, content, details }
}

function ended(call: ToolCallRow, callId: string, { status, details, output }: Report): ToolCallState {
  return {
    status,
    content: output == null ? call.content : givenContent([outputBlock(callId, output)], contentOrigin),
    details: { ...call.details, ...details },
  }
}

const contentOrigin = { param: 'output', role: null, contentType: null }

function outputBlock(callId: string, output: unknown): Block {
  return { type: 'mcp_call', tool_call_id: callId, mcp_call: output }
}

function callNotFound(): never {
  throw new AppError('item_not_found', 'The conversation has no tool call of that id.')
}
