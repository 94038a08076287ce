import type { SubgraphDatabase } from '../../../../platform/db.ts'
import { AppError } from '../../../../platform/errors.ts'
import { newId } from '../../../../platform/ids.ts'
import { invalidCursor, type Page } from '../../../../platform/pagination.ts'
import { isUniqueViolation } from '../../../../platform/postgres-errors.ts'
import { builtInTemplates } from '../built-in.ts'
import type { PromptTemplateFields, PromptTemplateRow, TemplateFilter } from '../rows.ts'

/** The SQL of prompt templates. */
export interface TemplateSource {
  /** Stores the built-in texts, those of a newer release too where nobody has changed the template. */
  seed(): Promise<void>
  byId(id: string): Promise<PromptTemplateRow | null>
  activeByKey(templateKey: string): Promise<PromptTemplateRow | null>
  /** Up to `limit + 1`, newest first unless told otherwise. @throws AppError `invalid_cursor` */
  page(filter: TemplateFilter, page: Page): Promise<PromptTemplateRow[]>
  count(filter: TemplateFilter): Promise<number>
  /** @throws AppError `already_exists` where the key is taken */
  insert(templateKey: string, fields: PromptTemplateFields): Promise<PromptTemplateRow>
  /** Counts the version up. Null when there is no such template. */
  update(id: string, fields: Partial<PromptTemplateFields>): Promise<PromptTemplateRow | null>
  /** Never a system template. Says whether there was one to delete. */
  remove(id: string): Promise<boolean>
}

/** The columns of a template under the alias `t`. */
export const templateColumns = `
  t.public_id as id, t.name, t.description, t.category, t.template_key as "templateKey", t.content, t.variables,
  t.metadata, t.is_active as "isActive", t.is_system as "isSystem", t.version, t.created_at as "createdAt",
  t.updated_at as "updatedAt"`

const table = 'models.prompt_template t'

/** In order of their keys, so that two processes that start at once wait for each other. */
const seedTemplates = `
  insert into models.prompt_template as t
    (public_id, name, description, category, template_key, content, variables, metadata, is_system)
  select id, name, description, category, template_key, content, variables, '{}'::json, true
  from json_to_recordset(?::json) as seed(id text, name text, description text, category text, template_key text,
    content text, variables json)
  order by template_key
  on conflict (template_key) do update set
    name = excluded.name, description = excluded.description, category = excluded.category,
    content = excluded.content, variables = excluded.variables, updated_at = now()
  where t.is_system and t.version = 1 and t.content <> excluded.content`

const insertTemplate = `
  insert into models.prompt_template as t
    (public_id, template_key, name, description, category, content, variables, metadata, is_active)
  values (?, ?, ?, ?, ?, ?, ?::json, ?::json, ?)
  returning ${templateColumns}`

const columnOf = {
  name: 'name = ?',
  description: 'description = ?',
  category: 'category = ?',
  content: 'content = ?',
  variables: 'variables = ?::json',
  metadata: 'metadata = ?::json',
  isActive: 'is_active = ?',
} as const satisfies Record<keyof PromptTemplateFields, string>

export function templateSource(database: SubgraphDatabase): TemplateSource {
  const rows = <Row>(statement: string, values: readonly unknown[]): Promise<Row[]> =>
    database.fork().execute<Row[]>(statement, [...values])
  const first = async (statement: string, values: readonly unknown[]): Promise<PromptTemplateRow | null> =>
    (await rows<PromptTemplateRow>(statement, values))[0] ?? null
  const byId = (id: string) => first(`select ${templateColumns} from ${table} where t.public_id = ?`, [id])

  return {
    byId,

    async seed() {
      const seeds = Object.entries(builtInTemplates).map(([template_key, template]) => ({
        ...template,
        template_key,
        id: newId('prompt'),
      }))
      await rows(seedTemplates, [JSON.stringify(seeds)])
    },

    activeByKey: (templateKey) =>
      first(`select ${templateColumns} from ${table} where t.template_key = ? and t.is_active`, [
        templateKey,
      ]),

    async page(filter, { limit, after, offset, descending }) {
      const { condition, values } = conditionOf(filter)
      const beyond = `and t.key ${descending ? '<' : '>'} (select key from models.prompt_template where public_id = ?)`
      const found = await rows<PromptTemplateRow>(
        `select ${templateColumns} from ${table} where ${condition} ${after === null ? '' : beyond}
         order by t.key ${descending ? 'desc' : 'asc'} limit ? offset ?`,
        [...values, ...(after === null ? [] : [after]), limit + 1, offset],
      )
      if (found.length === 0 && after !== null && !(await byId(after))) throw invalidCursor(after)
      return found
    },

    async count(filter) {
      const { condition, values } = conditionOf(filter)
      const [row] = await rows<{ count: string }>(`select count(*) from ${table} where ${condition}`, values)
      return Number(row?.count ?? 0)
    },

    async insert(templateKey, fields) {
      try {
        const { name, description, category, content, variables, metadata, isActive } = fields
        const jsons = [JSON.stringify(variables), JSON.stringify(metadata)]
        const [row] = await rows<PromptTemplateRow>(insertTemplate, [
          ...[newId('prompt'), templateKey, name, description, category, content],
          ...jsons,
          isActive,
        ])
        return row as PromptTemplateRow
      } catch (error) {
        if (isUniqueViolation(error, 'prompt_template_template_key')) throw keyTaken(error)
        throw error
      }
    },

    update(id, fields) {
      const changes = Object.entries(fields) as [keyof PromptTemplateFields, unknown][]
      if (changes.length === 0) return byId(id)
      const sets = changes.map(([name]) => columnOf[name])
      const values = changes.map(([, value]) =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
      )
      return first(
        `update ${table.replace(' t', ' as t')} set ${sets.join(', ')}, version = version + 1, updated_at = now()
         where t.public_id = ? returning ${templateColumns}`,
        [...values, id],
      )
    },

    async remove(id) {
      const removed = await rows(
        'delete from models.prompt_template where public_id = ? and not is_system returning key',
        [id],
      )
      return removed.length === 1
    },
  }
}

function conditionOf({ category, isActive, isSystem, search }: TemplateFilter) {
  const parts: [condition: string, values: unknown[]][] = [['true', []]]
  if (category !== null) parts.push(['t.category = ?', [category]])
  if (isActive !== null) parts.push(['t.is_active = ?', [isActive]])
  if (isSystem !== null) parts.push(['t.is_system = ?', [isSystem]])
  if (search !== null) {
    const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
    const columns = ['t.name', 't.description', 't.template_key']
    parts.push([`(${columns.map((column) => `${column} ilike ?`).join(' or ')})`, columns.map(() => pattern)])
  }
  return {
    condition: parts.map(([condition]) => condition).join(' and '),
    values: parts.flatMap(([, values]) => values),
  }
}

function keyTaken(cause: unknown): AppError {
  return new AppError('already_exists', 'There is a template of this key already.', {
    param: 'template_key',
    cause,
  })
}
