import { type Actor, requireActor, requireAdmin } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape, randomDigits } from '../../../platform/ids.ts'
import type { LiveValue } from '../../../platform/live-value.ts'
import { type Connection, type PageArguments, toConnection, toPage } from '../../../platform/pagination.ts'
import { optionalText } from '../../../platform/text.ts'
import type { CreatePromptTemplateInput, UpdatePromptTemplateInput } from '../schema.generated.ts'
import type { PromptRegistry } from './registry.ts'
import type { PromptTemplateRow, TemplateFilter } from './rows.ts'
import type { TemplateSource } from './sources/templates.ts'
import { changedTemplateFields, newTemplateFields, templateKey, templateName } from './template-fields.ts'

/** A page of templates, and the filter that counts them. */
export interface TemplatePage extends Connection<PromptTemplateRow> {
  readonly filter: TemplateFilter
}

/** What a list of templates is asked for by. */
export type TemplatePageArguments = PageArguments & { [Name in keyof TemplateFilter]?: TemplateFilter[Name] }

const maxNewNameLength = 200
const maxKeyLength = 100
const copySuffixLength = 6

/** Templates are the administrators' (contract 2.10); everybody may read what is active. */
export function templateService(
  actor: Actor | null,
  source: TemplateSource,
  live: LiveValue<PromptRegistry>,
) {
  const find = async (id: string): Promise<PromptTemplateRow | null> =>
    hasIdShape('prompt', id) ? source.byId(id) : null
  return {
    async activeByKey(key: string): Promise<PromptTemplateRow | null> {
      requireActor(actor)
      return source.activeByKey(templateKey(key))
    },

    async byId(id: string): Promise<PromptTemplateRow | null> {
      requireAdmin(actor)
      return find(id)
    },

    /** For references of the graph: null where `byId` would refuse. */
    referenced: async (id: string): Promise<PromptTemplateRow | null> => (actor?.isAdmin ? find(id) : null),

    async page({
      category,
      isActive,
      isSystem,
      search,
      ...args
    }: TemplatePageArguments): Promise<TemplatePage> {
      requireAdmin(actor)
      const page = toPage(args)
      const filter = {
        category: optionalText(category, { param: 'category', max: 100 }),
        isActive: isActive ?? null,
        isSystem: isSystem ?? null,
        search: optionalText(search, { param: 'search', max: 255 }),
      }
      return { ...toConnection(await source.page(filter, page), page, ({ id }) => id), filter }
    },

    count: ({ filter }: TemplatePage): Promise<number> => source.count(filter),

    /** @throws AppError `admin_required`, `already_exists`, `invalid_parameter` */
    async create(input: CreatePromptTemplateInput): Promise<PromptTemplateRow> {
      requireAdmin(actor)
      const template = await source.insert(templateKey(input.templateKey), newTemplateFields(input))
      await live.changed()
      return template
    },

    /** @throws AppError `admin_required`, `not_found`, `invalid_parameter` */
    async update(input: UpdatePromptTemplateInput): Promise<PromptTemplateRow> {
      requireAdmin(actor)
      const fields = changedTemplateFields(input)
      if (!hasIdShape('prompt', input.id)) noTemplate()
      const template = (await source.update(input.id, fields)) ?? noTemplate()
      await live.changed()
      return template
    },

    /** @throws AppError `admin_required`, `not_found`; `permission_denied` for one that came with the platform */
    async remove(id: string): Promise<{ id: string }> {
      requireAdmin(actor)
      if (hasIdShape('prompt', id) && (await source.remove(id))) {
        await live.changed()
        return { id }
      }
      if (!(await find(id))) noTemplate()
      throw new AppError('permission_denied', 'A template that came with the platform can’t be deleted.')
    },

    /** @throws AppError `admin_required`, `not_found`, `invalid_parameter` */
    async duplicate(id: string, newName: string | null): Promise<PromptTemplateRow> {
      requireAdmin(actor)
      const given = optionalText(newName?.trim(), {
        param: 'new_name',
        max: maxNewNameLength,
        singleLine: true,
      })
      const original = (await find(id)) ?? noTemplate()
      const copy = await source.insert(copyKey(original.templateKey), {
        ...original,
        name: given ?? templateName(`${original.name.slice(0, maxNewNameLength)} (copy)`),
      })
      await live.changed()
      return copy
    },
  }
}

/** The service of one request. */
export type TemplateService = ReturnType<typeof templateService>

/** @throws AppError `not_found` */
export function noTemplate(param?: string): never {
  throw new AppError('not_found', 'There is no such prompt template.', { param: param ?? null })
}

function copyKey(key: string): string {
  const suffix = `_copy_${randomDigits(copySuffixLength)}`
  return `${key.slice(0, maxKeyLength - suffix.length)}${suffix}`
}
