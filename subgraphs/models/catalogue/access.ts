import type { Actor } from '../../../platform/actor.ts'
import type { ListedModel, ModelRegistry } from './registry.ts'

/** Opens the entries that are on trial (contract 1.7). */
const experimentalFlag = 'experimental_models'

/** The model of this name; null where there is none for this caller: one that is closed to it does not exist for it. */
export function openModel(registry: ModelRegistry, id: string, actor: Actor): ListedModel | null {
  const model = registry.model(id)
  return model && isOpenTo(model, actor) ? model : null
}

/** Whether the caller has every feature flag that the model's entry names. */
export function isOpenTo(model: ListedModel, { featureFlags }: Actor): boolean {
  return neededFlags(model).every((flag) => featureFlags.includes(flag))
}

/** Whether the model exists for everybody. */
export function isOpenToAll(model: ListedModel): boolean {
  return neededFlags(model).length === 0
}

function neededFlags({ entry }: ListedModel): string[] {
  if (!entry) return []
  const { requiresFeatureFlag, isExperimental } = entry
  return [
    ...(requiresFeatureFlag ? [requiresFeatureFlag] : []),
    ...(isExperimental ? [experimentalFlag] : []),
  ]
}
