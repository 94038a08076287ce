import { z } from 'zod'
import type { ItemFieldsFragment } from '../operations.generated.ts'
import { exampleItem, itemJson, itemResource } from './item.ts'

/** What the graph tells of a new main branch. */
interface NewMain {
  readonly branch: string
  readonly oldMainBackup: string | null
  readonly item?: ItemFieldsFragment | null
  readonly content?: string | null
}

const newMain = z.object({
  branch: z.string().describe('`MAIN`.'),
  old_main_backup: z.string().nullable().describe('The name under which the former main branch is kept.'),
  branch_created: z.literal(true),
  new_branch: z.string().describe('The present name of the branch that was made: `MAIN`.'),
  item: itemResource.optional().describe('The answer, where a model was asked.'),
  content: z.string().nullable().optional().describe('Its text.'),
})

const exampleMain = {
  branch: 'MAIN',
  old_main_backup: 'MAIN_20260101000100',
  branch_created: true,
  new_branch: 'MAIN',
} as const

/** Contract 3.3: what an edit answers. */
export const editResource = newMain
  .extend({ user_item: itemResource })
  .meta({ id: 'Edit', examples: [{ ...exampleMain, user_item: exampleItem }] })

/** Contract 3.3: what a regeneration answers. */
export const regenerationResource = newMain
  .extend({ user_item_id: z.string() })
  .meta({ id: 'Regeneration', examples: [{ ...exampleMain, user_item_id: exampleItem.id }] })

export function editJson(edit: NewMain & { readonly userItem: ItemFieldsFragment }) {
  return { ...mainJson(edit), user_item: itemJson(edit.userItem), ...answerJson(edit) }
}

export function regenerationJson(regeneration: NewMain & { readonly userItem: { readonly id: string } }) {
  return { ...mainJson(regeneration), user_item_id: regeneration.userItem.id, ...answerJson(regeneration) }
}

function mainJson({ branch, oldMainBackup }: NewMain) {
  return { branch, old_main_backup: oldMainBackup, branch_created: true as const, new_branch: branch }
}

function answerJson({ item, content }: NewMain) {
  return item ? { item: itemJson(item), content: content ?? null } : {}
}
