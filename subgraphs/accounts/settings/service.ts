import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { UpdateUserSettingsInput } from '../schema.generated.ts'
import { assertPreferencesFit, assertSettings } from './checks.ts'
import type { SettingsRow, SettingsSource } from './sources.ts'
import { effectiveSettings, mergedSettings, type SettingsValues } from './values.ts'

/** A user's settings, whole: what was set, over the defaults. */
export interface UserSettings extends SettingsValues {
  readonly id: string
  readonly userId: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** Settings are their user's alone (contract 2.8). */
export function settingsService(actor: Actor | null, source: SettingsSource) {
  const own = async (): Promise<UserSettings> => whole(await source.ofUser(requireActor(actor).id))
  return {
    own,

    /** Null for those of others. */
    async byId(id: string): Promise<UserSettings | null> {
      const settings = await own()
      return settings.id === id ? settings : null
    },

    /** @throws AppError `invalid_parameter` naming the field */
    async update(changes: UpdateUserSettingsInput): Promise<UserSettings> {
      const { id } = requireActor(actor)
      assertSettings(changes)
      const row = await source.change(id, (stored) => {
        const merged = mergedSettings(stored, changes)
        assertPreferencesFit(merged.preferences)
        return merged
      })
      return whole(row)
    },
  }
}

/** The service of one request. */
export type SettingsService = ReturnType<typeof settingsService>

function whole({ settings, ...row }: SettingsRow): UserSettings {
  return { ...row, ...effectiveSettings(settings) }
}
