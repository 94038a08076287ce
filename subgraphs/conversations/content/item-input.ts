import { AppError } from '../../../platform/errors.ts'
import { optionalText } from '../../../platform/text.ts'
import type { ItemInput } from '../schema.generated.ts'
import type { Block } from './blocks.ts'
import { assertListLimits, givenContent } from './given-content.ts'
import type { ItemDetails, ItemDraft } from './item-draft.ts'
import { isItemRole, isItemStatus, isItemType } from './item-vocabulary.ts'

/** Contract 3.1: the most items that one write may bring. */
export const maxItemsPerWrite = 20

const maxNameLength = 256
const maxCallIdLength = 256
const maxArgumentsLength = 100_000

/** What `details` may not bring, since the item has its own fields for it. */
const ownFields = new Set([
  'id',
  'object',
  'type',
  'role',
  'status',
  'content',
  'branch',
  'sequence_number',
  'created_at',
  'completed_at',
  'incomplete_at',
  'call_id',
])

/**
 * Items from outside, ready to be stored. Errors name the wire's fields: `items[0].content[1].type`.
 * @throws AppError `max_items_exceeded`, `input_too_large`, `missing_parameter`, `invalid_parameter`
 */
export function givenItems(items: readonly ItemInput[]): ItemDraft[] {
  if (items.length > maxItemsPerWrite) {
    throw new AppError('max_items_exceeded', `At most ${maxItemsPerWrite} items can be stored at once.`, {
      param: 'items',
    })
  }
  return items.map((item, index) => givenItem(item, `items[${index}]`))
}

function givenItem(input: ItemInput, param: string): ItemDraft {
  const type = input.type ?? 'message'
  if (!isItemType(type)) throw invalid('is not a type of item', `${param}.type`)
  const role = givenRole(input.role, type, param)
  const status = input.status?.toLowerCase() ?? 'completed'
  if (!isItemStatus(status)) throw invalid('is not a status of an item', `${param}.status`)
  return {
    type,
    role,
    status,
    content: itemContent(input, role, type, param),
    callId: optionalText(input.callId, { param: `${param}.call_id`, max: maxCallIdLength, singleLine: true }),
    details: givenDetails(input, param),
  }
}

function givenRole(role: string | null | undefined, type: string, param: string): string | null {
  if (role == null) {
    if (type !== 'message') return null
    throw new AppError('missing_parameter', `A message needs a role (${param}.role).`, {
      param: `${param}.role`,
    })
  }
  if (!isItemRole(role)) throw invalid('is not a role', `${param}.role`)
  return role
}

function itemContent(
  { content, contentType }: ItemInput,
  role: string | null,
  type: string,
  param: string,
): Block[] {
  if (content != null)
    return givenContent(content, { param: `${param}.content`, role, contentType: contentType ?? null })
  if (type !== 'message') return []
  throw new AppError('missing_parameter', `A message needs content (${param}.content).`, {
    param: `${param}.content`,
  })
}

/** What an item says of a tool, from outside. */
export type ToolFields = Pick<
  ItemInput,
  'name' | 'arguments' | 'output' | 'error' | 'serverLabel' | 'details'
>

/**
 * @param param the wire's name of the object that the fields stand in; empty where that is the body itself
 * @throws AppError `input_too_large`, `invalid_parameter`
 */
export function givenDetails(input: ToolFields, param: string): ItemDetails {
  const at = (field: string) => (param === '' ? field : `${param}.${field}`)
  const name = optionalText(input.name, { param: at('name'), max: maxNameLength, singleLine: true })
  const serverLabel = optionalText(input.serverLabel, {
    param: at('server_label'),
    max: maxNameLength,
    singleLine: true,
  })
  if ((input.arguments?.length ?? 0) > maxArgumentsLength) {
    throw new AppError(
      'input_too_large',
      `${at('arguments')} is too long: at most ${maxArgumentsLength} characters.`,
      {
        param: at('arguments'),
      },
    )
  }
  return {
    ...otherDetails(input.details, param),
    ...(name === null ? {} : { name }),
    ...(input.arguments == null ? {} : { arguments: input.arguments }),
    ...(input.output == null ? {} : { output: input.output }),
    ...(input.error == null ? {} : { error: input.error }),
    ...(serverLabel === null ? {} : { server_label: serverLabel }),
  }
}

function otherDetails(details: unknown, param: string): ItemDetails {
  if (details == null) return {}
  if (typeof details !== 'object' || Array.isArray(details))
    throw invalid('must be an object', `${param}.details`)
  assertListLimits({ ...details }, param)
  return Object.fromEntries(Object.entries(details).filter(([field]) => !ownFields.has(field)))
}

function invalid(message: string, param: string): AppError {
  return new AppError('invalid_parameter', `${param} ${message}.`, { param })
}
