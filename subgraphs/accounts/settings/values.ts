import type { UpdateUserSettingsInput } from '../schema.generated.ts'

/** A user's settings, whole. */
export interface SettingsValues {
  readonly memoryConfig: {
    readonly enabled: boolean
    readonly observeEnabled: boolean
    readonly injectUserCore: boolean
    readonly injectSemantic: boolean
    readonly injectEpisodic: boolean
    readonly maxUserItems: number
    readonly maxProjectItems: number
    readonly maxEpisodicItems: number
    readonly minSimilarity: number
  }
  readonly profileSettings: {
    readonly baseStyle: 'CONCISE' | 'FRIENDLY' | 'PROFESSIONAL'
    readonly customInstructions: string
    readonly nickName: string
    readonly occupation: string
    readonly moreAboutYou: string
  }
  readonly advancedSettings: { readonly webSearch: boolean; readonly codeEnabled: boolean }
  readonly enableTrace: boolean
  readonly enableTools: boolean
  readonly preferences: Readonly<Record<string, unknown>>
}

/** What of it was set. */
export interface StoredSettings {
  readonly memoryConfig?: Partial<SettingsValues['memoryConfig']>
  readonly profileSettings?: Partial<SettingsValues['profileSettings']>
  readonly advancedSettings?: Partial<SettingsValues['advancedSettings']>
  readonly enableTrace?: boolean
  readonly enableTools?: boolean
  readonly preferences?: Readonly<Record<string, unknown>>
}

/** Contract 2.8. The default of `selected_model` is the models' to tell. */
export const defaultSettings: SettingsValues = {
  memoryConfig: {
    enabled: true,
    observeEnabled: true,
    injectUserCore: true,
    injectSemantic: true,
    injectEpisodic: false,
    maxUserItems: 3,
    maxProjectItems: 5,
    maxEpisodicItems: 3,
    minSimilarity: 0.75,
  },
  profileSettings: {
    baseStyle: 'FRIENDLY',
    customInstructions: '',
    nickName: '',
    occupation: '',
    moreAboutYou: '',
  },
  advancedSettings: { webSearch: false, codeEnabled: false },
  enableTrace: false,
  enableTools: true,
  preferences: {
    enable_deep_research: false,
    enable_thinking: true,
    enable_search: true,
    enable_browser: false,
  },
}

/** What was set, over the defaults. */
export function effectiveSettings(stored: StoredSettings): SettingsValues {
  return {
    memoryConfig: { ...defaultSettings.memoryConfig, ...stored.memoryConfig },
    profileSettings: { ...defaultSettings.profileSettings, ...stored.profileSettings },
    advancedSettings: { ...defaultSettings.advancedSettings, ...stored.advancedSettings },
    enableTrace: stored.enableTrace ?? defaultSettings.enableTrace,
    enableTools: stored.enableTools ?? defaultSettings.enableTools,
    preferences: { ...defaultSettings.preferences, ...stored.preferences },
  }
}

/** Ruling R16: field by field, so that one that is not named stays. So are the objects in `preferences`, where a null takes the key away (RFC 7396). */
export function mergedSettings(stored: StoredSettings, changes: UpdateUserSettingsInput): StoredSettings {
  return {
    ...stored,
    ...given({ enableTrace: changes.enableTrace, enableTools: changes.enableTools }),
    memoryConfig: { ...stored.memoryConfig, ...given(changes.memoryConfig ?? {}) },
    profileSettings: { ...stored.profileSettings, ...given(changes.profileSettings ?? {}) },
    advancedSettings: { ...stored.advancedSettings, ...given(changes.advancedSettings ?? {}) },
    preferences: mergedObject(
      stored.preferences ?? {},
      isObject(changes.preferences) ? changes.preferences : {},
    ),
  }
}

function mergedObject(before: JsonObject, changes: JsonObject): JsonObject {
  const merged = new Map(Object.entries(before))
  for (const [key, change] of Object.entries(changes)) {
    const former = merged.get(key)
    if (change === null) merged.delete(key)
    else merged.set(key, isObject(change) ? mergedObject(isObject(former) ? former : {}, change) : change)
  }
  return Object.fromEntries(merged)
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields that are there and not null. */
function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const named = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(named) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> }
}
