import { z } from 'zod'
import type { PreferenceFieldsFragment, UserSettingsFieldsFragment } from '../operations.generated.ts'

/** How a model speaks to the user. */
export const baseStyles = ['Concise', 'Friendly', 'Professional'] as const
export type BaseStyle = (typeof baseStyles)[number]

/** What preferences hold at least. */
export const knownPreferences = z.looseObject({
  selected_model: z.string().nullable().describe('The first model that answers, until one is chosen.'),
  enable_deep_research: z.boolean(),
  enable_thinking: z.boolean(),
  enable_search: z.boolean(),
  enable_browser: z.boolean(),
})

const settingsFields = z.object({
  id: z.string(),
  user_id: z.string(),
  memory_config: z.object({
    enabled: z.boolean(),
    observe_enabled: z.boolean(),
    inject_user_core: z.boolean(),
    inject_semantic: z.boolean(),
    inject_episodic: z.boolean(),
    max_user_items: z.int(),
    max_project_items: z.int(),
    max_episodic_items: z.int(),
    min_similarity: z.number(),
  }),
  profile_settings: z.object({
    base_style: z.enum(baseStyles),
    custom_instructions: z.string(),
    nick_name: z.string(),
    occupation: z.string(),
    more_about_you: z.string(),
  }),
  advanced_settings: z.object({ web_search: z.boolean(), code_enabled: z.boolean() }),
  enable_trace: z.boolean(),
  enable_tools: z.boolean(),
  preferences: knownPreferences,
  server_capabilities: z.object({ image_generation_enabled: z.boolean() }),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
})

export const examplePreferences = {
  selected_model: 'jan-v1-4b',
  enable_deep_research: false,
  enable_thinking: true,
  enable_search: true,
  enable_browser: false,
}

export const exampleSettings: z.output<typeof settingsFields> = {
  id: 'uset_q2w4e6r8t0y1u3i5',
  user_id: '7912b317-c0b5-432d-8020-10e910b0aebb',
  memory_config: {
    enabled: true,
    observe_enabled: true,
    inject_user_core: true,
    inject_semantic: true,
    inject_episodic: false,
    max_user_items: 3,
    max_project_items: 5,
    max_episodic_items: 3,
    min_similarity: 0.75,
  },
  profile_settings: {
    base_style: 'Friendly',
    custom_instructions: 'Prefer metric units.',
    nick_name: 'Ada',
    occupation: 'Mathematician',
    more_about_you: '',
  },
  advanced_settings: { web_search: false, code_enabled: false },
  enable_trace: false,
  enable_tools: true,
  preferences: examplePreferences,
  server_capabilities: { image_generation_enabled: false },
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
}

/** Contract 2.8: settings on the wire. */
export const settingsResource = settingsFields.meta({ id: 'UserSettings', examples: [exampleSettings] })

export function preferencesJson({ preferences, selectedModel }: PreferenceFieldsFragment) {
  return {
    ...(preferences as Omit<typeof examplePreferences, 'selected_model'>),
    selected_model: selectedModel,
  }
}

export function settingsJson(settings: UserSettingsFieldsFragment): z.output<typeof settingsFields> {
  const { memoryConfig: memory, profileSettings: profile, advancedSettings: advanced } = settings
  return {
    id: settings.id,
    user_id: settings.userId,
    memory_config: {
      enabled: memory.enabled,
      observe_enabled: memory.observeEnabled,
      inject_user_core: memory.injectUserCore,
      inject_semantic: memory.injectSemantic,
      inject_episodic: memory.injectEpisodic,
      max_user_items: memory.maxUserItems,
      max_project_items: memory.maxProjectItems,
      max_episodic_items: memory.maxEpisodicItems,
      min_similarity: memory.minSimilarity,
    },
    profile_settings: {
      base_style: wireStyle(profile.baseStyle),
      custom_instructions: profile.customInstructions,
      nick_name: profile.nickName,
      occupation: profile.occupation,
      more_about_you: profile.moreAboutYou,
    },
    advanced_settings: { web_search: advanced.webSearch, code_enabled: advanced.codeEnabled },
    enable_trace: settings.enableTrace,
    enable_tools: settings.enableTools,
    preferences: preferencesJson(settings),
    server_capabilities: { image_generation_enabled: settings.serverCapabilities.imageGeneration },
    created_at: settings.createdAt,
    updated_at: settings.updatedAt,
  }
}

function wireStyle(style: Uppercase<BaseStyle>): BaseStyle {
  return `${style.charAt(0)}${style.slice(1).toLowerCase()}` as BaseStyle
}
