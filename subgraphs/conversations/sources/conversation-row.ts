import type { Metadata } from '../content/metadata.ts'

/** A conversation, always read together with its active branch. Moments are PostgreSQL's text, or what the ORM makes of it. */
export interface ConversationRow {
  readonly key: string
  readonly publicId: string
  readonly ownerId: string
  readonly title?: string | null
  readonly metadata: Metadata
  readonly referrer?: string | null
  readonly projectId?: string | null
  readonly instructionVersion?: number | null
  readonly instructionSnapshot?: string | null
  readonly activeBranch: ActiveBranch
  readonly archivedAt?: Date | string | null
  readonly createdAt: Date | string
  readonly updatedAt: Date | string
}

/** The branch that is read and appended to when none is named. */
export interface ActiveBranch {
  readonly key: string
  readonly name: string
  readonly itemCount: number
}

/** The columns that `conversationColumns` selects. */
export interface ConversationColumns extends Omit<ConversationRow, 'activeBranch'> {
  readonly branchKey: string
  readonly branchName: string
  readonly branchItemCount: number
}

/** The columns of a conversation and of its active branch, given the expressions that these rows have in a statement. */
export function conversationColumns(conversation: string, branch: string): string {
  const [c, b] = [conversation, branch]
  return `${c}.key, ${c}.public_id as "publicId", ${c}.owner_id as "ownerId", ${c}.title, ${c}.metadata, ${c}.referrer,
    ${c}.project_id as "projectId", ${c}.instruction_version as "instructionVersion",
    ${c}.instruction_snapshot as "instructionSnapshot", ${c}.archived_at as "archivedAt", ${c}.created_at as "createdAt",
    ${c}.updated_at as "updatedAt", ${b}.key as "branchKey", ${b}.name as "branchName", ${b}.item_count as "branchItemCount"`
}

export function conversationRow(columns: ConversationColumns): ConversationRow {
  const { branchKey, branchName, branchItemCount, ...conversation } = columns
  return { ...conversation, activeBranch: { key: branchKey, name: branchName, itemCount: branchItemCount } }
}
