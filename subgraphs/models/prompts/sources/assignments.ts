import type { SubgraphDatabase } from '../../../../platform/db.ts'
import { randomDigits } from '../../../../platform/ids.ts'
import type { AssignmentFields, AssignmentRow, PromptTemplateRow } from '../rows.ts'
import { templateColumns } from './templates.ts'

/** The SQL of which template stands in for a key where a model is asked. */
export interface AssignmentSource {
  /** A model's, the highest priority first. */
  ofModel(modelId: string): Promise<AssignmentRow[]>
  /** New or replaced. Null when there is no such template. */
  assign(
    modelId: string,
    templateKey: string,
    fields: AssignmentFields,
  ): Promise<{ readonly assignment: AssignmentRow; readonly isNew: boolean } | null>
  /** Null when there is no such assignment. A template that there is not fails as `assign` does: with null. */
  update(
    modelId: string,
    templateKey: string,
    fields: Partial<AssignmentFields>,
  ): Promise<AssignmentRow | null>
  remove(modelId: string, templateKey: string): Promise<boolean>
  /** Everything that a prompt may be made of: active templates, and active assignments of active templates. */
  load(): Promise<PromptRows>
}

/** What the registry of prompts is built from. */
export interface PromptRows {
  readonly templates: readonly PromptTemplateRow[]
  readonly assignments: readonly AssignmentRow[]
}

type FlatRow = PromptTemplateRow & {
  readonly aId: string
  readonly aModelId: string
  readonly aTemplateKey: string
  readonly aPriority: number
  readonly aIsActive: boolean
  readonly aCreatedAt: string
  readonly aUpdatedAt: string
}

const columns = `
  a.public_id as "aId", a.model_id as "aModelId", a.template_key as "aTemplateKey", a.priority as "aPriority",
  a.is_active as "aIsActive", a.created_at as "aCreatedAt", a.updated_at as "aUpdatedAt", ${templateColumns}`

const joined = `
  select ${columns} from models.model_prompt_template a
  join models.prompt_template t on t.key = a.prompt_template_key`

/** `xmax` is 0 in a row that was inserted, and names the transaction in one that was updated. */
const upsert = `
  with a as (
    insert into models.model_prompt_template as m
      (public_id, model_id, template_key, prompt_template_key, priority, is_active)
    select ?, ?, ?, t.key, ?, ? from models.prompt_template t where t.public_id = ?
    on conflict (model_id, template_key) do update set
      prompt_template_key = excluded.prompt_template_key, priority = excluded.priority,
      is_active = excluded.is_active, updated_at = now()
    returning m.*, m.xmax = 0 as is_new
  )
  select a.is_new as "isNew", ${columns} from a join models.prompt_template t on t.key = a.prompt_template_key`

const change = `
  with a as (
    update models.model_prompt_template m set
      prompt_template_key = t.key, priority = coalesce(?::int, m.priority),
      is_active = coalesce(?::boolean, m.is_active), updated_at = now()
    from models.prompt_template t
    where m.model_id = ? and m.template_key = ?
      and case when ?::text is null then t.key = m.prompt_template_key else t.public_id = ? end
    returning m.*
  )
  select ${columns} from a join models.prompt_template t on t.key = a.prompt_template_key`

export function assignmentSource(database: SubgraphDatabase): AssignmentSource {
  const rows = <Row>(statement: string, values: readonly unknown[] = []): Promise<Row[]> =>
    database.fork().execute<Row[]>(statement, [...values])

  return {
    async ofModel(modelId) {
      const found = await rows<FlatRow>(`${joined} where a.model_id = ? order by a.priority desc, a.key`, [
        modelId,
      ])
      return found.map(nested)
    },

    async assign(modelId, templateKey, { templateId, priority, isActive }) {
      const id = `mpt_${randomDigits(16)}`
      const [row] = await rows<FlatRow & { isNew: boolean }>(upsert, [
        ...[id, modelId, templateKey],
        ...[priority, isActive, templateId],
      ])
      return row ? { assignment: nested(row), isNew: row.isNew } : null
    },

    async update(modelId, templateKey, { templateId = null, priority = null, isActive = null }) {
      const [row] = await rows<FlatRow>(change, [
        ...[priority, isActive, modelId, templateKey],
        ...[templateId, templateId],
      ])
      return row ? nested(row) : null
    },

    async remove(modelId, templateKey) {
      const removed = await rows(
        'delete from models.model_prompt_template where model_id = ? and template_key = ? returning key',
        [modelId, templateKey],
      )
      return removed.length === 1
    },

    async load() {
      const templates = await rows<PromptTemplateRow>(
        `select ${templateColumns} from models.prompt_template t where t.is_active`,
      )
      const assignments = await rows<FlatRow>(`${joined} where a.is_active and t.is_active`)
      return { templates, assignments: assignments.map(nested) }
    },
  }
}

function nested({
  aId,
  aModelId,
  aTemplateKey,
  aPriority,
  aIsActive,
  aCreatedAt,
  aUpdatedAt,
  ...template
}: FlatRow): AssignmentRow {
  return {
    id: aId,
    modelId: aModelId,
    templateKey: aTemplateKey,
    priority: aPriority,
    isActive: aIsActive,
    createdAt: aCreatedAt,
    updatedAt: aUpdatedAt,
    template,
  }
}
