import { builtInTemplates, type ModuleKey, moduleKeys } from './built-in.ts'
import type { PromptTemplateRow } from './rows.ts'
import type { PromptRows } from './sources/assignments.ts'

/** Where the text of a key comes from. */
export type PromptOrigin = 'MODEL_SPECIFIC' | 'GLOBAL_DEFAULT' | 'HARDCODED'

/** What holds for a key where a model is asked. */
export interface EffectiveTemplate {
  readonly templateKey: string
  readonly origin: PromptOrigin
  readonly content: string
  /** Null for a built-in text. */
  readonly template: PromptTemplateRow | null
}

/** A model by its id and, where it is another name, that of the model that it stands for. */
export interface PromptedModel {
  readonly id: string
  readonly aliasOf: { readonly id: string } | null
}

/** Every active template and assignment in memory: a text costs no statement. Built anew at every change. */
export class PromptRegistry {
  readonly #global: ReadonlyMap<string, PromptTemplateRow>
  readonly #ofModels: ReadonlyMap<string, ReadonlyMap<string, PromptTemplateRow>>

  constructor({ templates, assignments }: PromptRows) {
    this.#global = new Map(templates.map((template) => [template.templateKey, template]))
    this.#ofModels = new Map(
      [...Map.groupBy(assignments, ({ modelId }) => modelId)].map(([modelId, own]) => [
        modelId,
        new Map(own.map(({ templateKey, template }) => [templateKey, template])),
      ]),
    )
  }

  /** Contract 2.9: the model's own, else the active global template, else the built-in text. */
  effective(key: ModuleKey, model: PromptedModel): EffectiveTemplate {
    return this.#find(key, model) ?? builtIn(key)
  }

  /** Of every key that the platform uses, and of others that the model has an assignment for. */
  allEffective(model: PromptedModel): EffectiveTemplate[] {
    const own = [model.id, model.aliasOf?.id ?? model.id].flatMap((id) => [
      ...(this.#ofModels.get(id)?.keys() ?? []),
    ])
    const others = [...new Set(own)].filter((key) => !(moduleKeys as readonly string[]).includes(key))
    return [
      ...moduleKeys.map((key) => this.effective(key, model)),
      ...others.flatMap((key) => this.#find(key, model) ?? []),
    ]
  }

  #find(templateKey: string, { id, aliasOf }: PromptedModel): EffectiveTemplate | null {
    const own =
      this.#ofModels.get(id)?.get(templateKey) ??
      (aliasOf ? this.#ofModels.get(aliasOf.id)?.get(templateKey) : undefined)
    if (own) return { templateKey, origin: 'MODEL_SPECIFIC', content: own.content, template: own }
    const global = this.#global.get(templateKey)
    return global
      ? { templateKey, origin: 'GLOBAL_DEFAULT', content: global.content, template: global }
      : null
  }
}

function builtIn(templateKey: ModuleKey): EffectiveTemplate {
  const { content } = builtInTemplates[templateKey]
  return { templateKey, origin: 'HARDCODED', content, template: null }
}
