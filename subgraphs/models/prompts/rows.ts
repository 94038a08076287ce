/** A prompt template as it is stored. Moments are PostgreSQL's text. */
export interface PromptTemplateRow {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly category: string
  readonly templateKey: string
  readonly content: string
  readonly variables: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly isActive: boolean
  readonly isSystem: boolean
  readonly version: number
  readonly createdAt: string
  readonly updatedAt: string
}

/** What of a template can be set. */
export type PromptTemplateFields = Pick<
  PromptTemplateRow,
  'name' | 'description' | 'category' | 'content' | 'variables' | 'metadata' | 'isActive'
>

/** The choice of a template for one key and one model. */
export interface AssignmentRow {
  readonly id: string
  readonly modelId: string
  readonly templateKey: string
  readonly priority: number
  readonly isActive: boolean
  readonly createdAt: string
  readonly updatedAt: string
  readonly template: PromptTemplateRow
}

/** What of an assignment can be set. */
export interface AssignmentFields {
  /** The template's public id. */
  readonly templateId: string
  readonly priority: number
  readonly isActive: boolean
}

/** Which templates of a list are wanted. */
export interface TemplateFilter {
  readonly category: string | null
  readonly isActive: boolean | null
  readonly isSystem: boolean | null
  /** A part of the name, the description or the key, in any case. */
  readonly search: string | null
}
