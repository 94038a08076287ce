import { z } from 'zod'
import type {
  ModelPromptTemplateFieldsFragment,
  PromptTemplateFieldsFragment,
} from '../operations.generated.ts'

const templateFields = z.object({
  id: z.string(),
  public_id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  category: z.string(),
  template_key: z.string(),
  content: z.string(),
  variables: z.array(z.string()),
  metadata: z.unknown(),
  is_active: z.boolean(),
  is_system: z.boolean(),
  version: z.int(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

/** An id of a template in examples. */
export const exampleTemplateId = 'ptpl_m1n3b5v7c9x2z4l6'

/** A template in examples. */
export const exampleTemplate: z.output<typeof templateFields> = {
  id: exampleTemplateId,
  public_id: exampleTemplateId,
  name: 'House style',
  description: 'How we write code.',
  category: 'system',
  template_key: 'house_style',
  content: 'Write TypeScript without semicolons.',
  variables: [],
  metadata: {},
  is_active: true,
  is_system: false,
  version: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
}

/** A prompt template (contract 2.10). */
export const templateResource = templateFields.meta({ id: 'PromptTemplate', examples: [exampleTemplate] })

export function templateJson(template: PromptTemplateFieldsFragment): z.output<typeof templateFields> {
  return {
    id: template.id,
    public_id: template.id,
    name: template.name,
    description: template.description,
    category: template.category,
    template_key: template.templateKey,
    content: template.content,
    variables: [...template.variables],
    metadata: template.metadata,
    is_active: template.isActive,
    is_system: template.isSystem,
    version: template.version,
    created_at: template.createdAt,
    updated_at: template.updatedAt,
  }
}

const assignmentFields = z.object({
  id: z.string(),
  model_catalog_id: z.string(),
  template_key: z.string(),
  prompt_template_id: z.string(),
  priority: z.int(),
  is_active: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  prompt_template: z.object({
    public_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    category: z.string(),
    template_key: z.string(),
    is_active: z.boolean(),
  }),
})

/** A choice in examples. */
export const exampleAssignment: z.output<typeof assignmentFields> = {
  id: 'mpt_a2s4d6f8g0h1j3k5',
  model_catalog_id: 'jan-v1-4b',
  template_key: 'code_assistant',
  prompt_template_id: exampleTemplateId,
  priority: 0,
  is_active: true,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  prompt_template: {
    public_id: exampleTemplateId,
    name: 'House style',
    description: 'How we write code.',
    category: 'system',
    template_key: 'house_style',
    is_active: true,
  },
}

/** The choice of a template for a model (contract 2.10). */
export const assignmentResource = assignmentFields.meta({
  id: 'ModelPromptTemplate',
  examples: [exampleAssignment],
})

export function assignmentJson({
  template,
  ...assignment
}: ModelPromptTemplateFieldsFragment): z.output<typeof assignmentFields> {
  return {
    id: assignment.id,
    model_catalog_id: assignment.modelId,
    template_key: assignment.templateKey,
    prompt_template_id: template.id,
    priority: assignment.priority,
    is_active: assignment.isActive,
    created_at: assignment.createdAt,
    updated_at: assignment.updatedAt,
    prompt_template: {
      public_id: template.id,
      name: template.name,
      description: template.description,
      category: template.category,
      template_key: template.templateKey,
      is_active: template.isActive,
    },
  }
}
