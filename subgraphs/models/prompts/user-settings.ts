import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import type { Notifications } from '../../../platform/notifications.ts'
import { notifiedCache, type Revocable } from '../../../platform/notified-cache.ts'
import { settingsChannel } from '../../../platform/settings-changes.ts'
import { PromptSettingsDocument, type PromptSettingsQuery } from '../operations.generated.ts'

/** What of a user's settings goes into prompts. */
export type PromptSettings = Pick<PromptSettingsQuery['userSettings'], 'memoryConfig' | 'profileSettings'> & {
  /** The modules that the user has switched off. */
  readonly disabled: ReadonlySet<string>
}

/** The settings of users, kept in memory until they change. */
export interface UserSettings {
  /** Of the user who asks. @throws AppError where accounts can't be asked */
  of(context: RequestContext): Promise<PromptSettings>
  close(): void
}

interface Kept extends Revocable {
  readonly settings: PromptSettings
}

const maxUsers = 10_000
/** A prompt is made without settings rather than late. */
const patienceMs = 2_000

export function userSettings(
  notifications: Pick<Notifications, 'connected' | 'follow' | 'onChange'>,
): UserSettings {
  const cache = notifiedCache<Kept>({ notifications, channel: settingsChannel, maxEntries: maxUsers })
  return {
    async of(context) {
      const { id } = requireActor(context.actor)
      const { settings } = await cache.get(id, async () => ({
        settings: await read(context, context.actor),
        expiresAt: Number.POSITIVE_INFINITY,
        cacheKeys: [id],
      }))
      return settings
    },
    close: () => cache.close(),
  }
}

/** Others may wait for the same answer: it must not end with the request that asked first. */
async function read(base: RequestContext, actor: Actor | null): Promise<PromptSettings> {
  const context = { ...base, actor, signal: AbortSignal.timeout(patienceMs) }
  const { userSettings } = await context.graph.execute(PromptSettingsDocument, {}, context)
  const { preferences, memoryConfig, profileSettings } = userSettings
  return { memoryConfig, profileSettings, disabled: disabledModules(preferences) }
}

/** Contract 2.9: a list, or a text with commas. */
function disabledModules(preferences: unknown): ReadonlySet<string> {
  const { disable_modules: given } = (preferences ?? {}) as { readonly disable_modules?: unknown }
  const names = typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given.map(String) : []
  return new Set(names.map((name) => name.trim().toLowerCase()).filter(Boolean))
}
