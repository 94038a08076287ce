import { z } from 'zod'
import type { BranchFieldsFragment } from '../operations.generated.ts'
import { optionalUnixSeconds, unixSeconds } from '../shapes.ts'

const branchFields = z.object({
  name: z.string(),
  description: z.string().nullable(),
  parent_branch: z.string().nullable(),
  forked_at: z.number().int().nullable(),
  forked_from_item_id: z.string().nullable(),
  item_count: z.number().int(),
  created_at: z.number().int(),
  updated_at: z.number().int(),
  is_active: z.boolean(),
})

/** What was asked, for the API's description. */
export const exampleBranch: z.output<typeof branchFields> = {
  name: 'vegetarian',
  description: 'The same without meat',
  parent_branch: 'MAIN',
  forked_at: 1767225660,
  forked_from_item_id: 'msg_7d1k0fz3m9q2w5x8c4v6b1n0',
  item_count: 1,
  created_at: 1767225660,
  updated_at: 1767225660,
  is_active: false,
}

/** Contract 3.4: a branch on the wire. */
export const branchResource = branchFields.meta({ id: 'Branch', examples: [exampleBranch] })

export function branchJson(branch: BranchFieldsFragment): z.output<typeof branchResource> {
  return {
    name: branch.name,
    description: branch.description,
    parent_branch: branch.parentBranch,
    forked_at: optionalUnixSeconds(branch.forkedAt),
    forked_from_item_id: branch.forkedFromItemId,
    item_count: branch.itemCount,
    created_at: unixSeconds(branch.createdAt),
    updated_at: unixSeconds(branch.updatedAt),
    is_active: branch.isActive,
  }
}
