import { type Actor, requireAdmin } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import type { LiveValue } from '../../../platform/live-value.ts'
import { assertStorable } from '../../../platform/text.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { AssignPromptTemplateInput, UpdateModelPromptTemplateInput } from '../schema.generated.ts'
import { type EffectiveTemplate, PromptRegistry } from './registry.ts'
import type { AssignmentRow } from './rows.ts'
import { noTemplate } from './service.ts'
import type { AssignmentSource } from './sources/assignments.ts'
import { templateKey } from './template-fields.ts'

/** What assignments are made with. */
export interface AssignmentParts {
  readonly actor: Actor | null
  readonly source: AssignmentSource
  readonly catalogue: LiveCatalogue
  readonly live: LiveValue<PromptRegistry>
}

/** Which templates models have of their own (contract 2.10). All of it is the administrators'. */
export function assignmentService({ actor, source, catalogue, live }: AssignmentParts) {
  /** An administrator needs no feature flag to set up a model. */
  const requireModel = (id: string) => {
    const model = catalogue.registry.model(id)
    if (!model) throw new AppError('model_not_found', 'There is no such model.', { param: 'model' })
    return model
  }
  return {
    /** @throws AppError `admin_required`, `model_not_found` */
    async ofModel(modelId: string): Promise<AssignmentRow[]> {
      requireAdmin(actor)
      return source.ofModel(requireModel(modelId).id)
    },

    /** Read anew: another process may have changed it a moment ago. @throws AppError `admin_required`, `model_not_found` */
    async effective(modelId: string): Promise<EffectiveTemplate[]> {
      requireAdmin(actor)
      const model = requireModel(modelId)
      return new PromptRegistry(await source.load()).allEffective(model)
    },

    /** @throws AppError `admin_required`, `model_not_found`, `not_found` for the template, `invalid_parameter` */
    async assign(input: AssignPromptTemplateInput) {
      requireAdmin(actor)
      const { id } = requireModel(input.modelId)
      if (!hasIdShape('prompt', input.templateId)) noTemplate('prompt_template_id')
      const assigned = await source.assign(id, templateKey(input.templateKey), {
        templateId: input.templateId,
        priority: input.priority ?? 0,
        isActive: input.isActive ?? true,
      })
      if (!assigned) return noTemplate('prompt_template_id')
      await live.changed()
      return assigned
    },

    /** @throws AppError `admin_required`, `not_found` for the assignment or the template */
    async update(input: UpdateModelPromptTemplateInput): Promise<AssignmentRow> {
      requireAdmin(actor)
      assertStorable(input.modelId, 'model')
      if (input.templateId != null && !hasIdShape('prompt', input.templateId))
        noTemplate('prompt_template_id')
      const updated = await source.update(input.modelId, templateKey(input.templateKey), {
        ...(input.templateId == null ? {} : { templateId: input.templateId }),
        ...(input.priority == null ? {} : { priority: input.priority }),
        ...(input.isActive == null ? {} : { isActive: input.isActive }),
      })
      if (!updated) {
        throw new AppError('not_found', 'There is no such assignment, or no such prompt template.')
      }
      await live.changed()
      return updated
    },

    /** @throws AppError `admin_required`, `not_found` */
    async unassign(modelId: string, key: string): Promise<{ modelId: string; templateKey: string }> {
      requireAdmin(actor)
      assertStorable(modelId, 'model')
      if (!(await source.remove(modelId, templateKey(key))))
        throw new AppError('not_found', 'There is no such assignment.')
      await live.changed()
      return { modelId, templateKey: key }
    },
  }
}

/** The service of one request. */
export type AssignmentService = ReturnType<typeof assignmentService>
