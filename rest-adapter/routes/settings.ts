import { z } from 'zod'
import {
  type PreferenceFieldsFragment,
  UpdateUserPreferencesDocument,
  UpdateUserSettingsDocument,
  UserPreferencesDocument,
  UserSettingsDocument,
  type UserSettingsFieldsFragment,
} from '../operations.generated.ts'
import { type Route, route } from '../route.ts'
import { dual, dualOf } from '../shapes.ts'

const tag = 'Settings'

const baseStyles = ['Concise', 'Friendly', 'Professional'] as const
type BaseStyle = (typeof baseStyles)[number]

const flag = z.boolean().nullish()
const count = (most: number) => z.int().nullish().describe(`0 to ${most}.`)
const text = (most: string) => z.string().nullish().describe(`Up to ${most} characters.`)

const preferencesBody = z
  .record(z.string(), z.unknown())
  .describe('Keys are merged into what there is; a null takes a key away. Keys of your own are kept.')
  .meta({ examples: [{ selected_model: 'jan-v1-4b', enable_search: false }] })

const settingsBody = z.object({
  memory_config: z
    .object({
      enabled: flag,
      observe_enabled: flag,
      inject_user_core: flag,
      inject_semantic: flag,
      inject_episodic: flag,
      max_user_items: count(20),
      max_project_items: count(50),
      max_episodic_items: count(20),
      min_similarity: z.number().nullish().describe('0 to 1.'),
    })
    .nullish(),
  profile_settings: z
    .object({
      base_style: z.enum(baseStyles).nullish(),
      custom_instructions: text('32,768'),
      nick_name: text('255'),
      nickname: z.string().nullish().describe('Another name of `nick_name`.'),
      occupation: text('255'),
      more_about_you: text('32,768'),
    })
    .nullish(),
  advanced_settings: z
    .object({
      web_search: flag,
      web_search_enabled: flag.describe('Another name of `web_search`.'),
      code_enabled: flag,
      code_execution_enabled: flag.describe('Another name of `code_enabled`.'),
    })
    .nullish(),
  enable_trace: flag,
  enable_tools: flag,
  preferences: preferencesBody.nullish(),
})

const knownPreferences = z.looseObject({
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

const examplePreferences = {
  selected_model: 'jan-v1-4b',
  enable_deep_research: false,
  enable_thinking: true,
  enable_search: true,
  enable_browser: false,
}

const settingsResource = settingsFields.meta({
  id: 'UserSettings',
  examples: [
    {
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
    } satisfies z.output<typeof settingsFields>,
  ],
})

const preferencesResource = z
  .object({ preferences: knownPreferences })
  .meta({ id: 'UserPreferences', examples: [{ preferences: examplePreferences }] })

function preferencesJson({ preferences, selectedModel }: PreferenceFieldsFragment) {
  return {
    ...(preferences as Omit<typeof examplePreferences, 'selected_model'>),
    selected_model: selectedModel,
  }
}

function settingsJson(settings: UserSettingsFieldsFragment): z.output<typeof settingsFields> {
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

function settingsInput({
  memory_config: memory,
  profile_settings: profile,
  advanced_settings: advanced,
  enable_trace: enableTrace,
  enable_tools: enableTools,
  preferences,
}: z.output<typeof settingsBody>) {
  return {
    enableTrace,
    enableTools,
    preferences,
    memoryConfig: memory && {
      enabled: memory.enabled,
      observeEnabled: memory.observe_enabled,
      injectUserCore: memory.inject_user_core,
      injectSemantic: memory.inject_semantic,
      injectEpisodic: memory.inject_episodic,
      maxUserItems: memory.max_user_items,
      maxProjectItems: memory.max_project_items,
      maxEpisodicItems: memory.max_episodic_items,
      minSimilarity: memory.min_similarity,
    },
    profileSettings: profile && {
      baseStyle: profile.base_style?.toUpperCase() as Uppercase<BaseStyle> | undefined,
      customInstructions: profile.custom_instructions,
      nickName: profile.nick_name ?? profile.nickname,
      occupation: profile.occupation,
      moreAboutYou: profile.more_about_you,
    },
    advancedSettings: advanced && {
      webSearch: advanced.web_search ?? advanced.web_search_enabled,
      codeEnabled: advanced.code_enabled ?? advanced.code_execution_enabled,
    },
  }
}

const path = '/v1/users/me/settings'

/** Contract 2.8. */
export const settingsRoutes: readonly Route[] = [
  route({
    method: 'get',
    path,
    rate: { perMinute: 600 },
    summary: 'Read your settings',
    tag,
    operation: UserSettingsDocument,
    variables: () => ({}),
    present: ({ userSettings }, { context }) => dual(settingsJson(userSettings), context.requestId),
    response: dualOf(settingsResource),
  }),
  route({
    method: 'patch',
    path,
    rate: { perMinute: 100 },
    summary: 'Change your settings, field by field',
    description:
      'What is absent or null stays as it is, inside the groups too. Read-only fields are ignored.',
    tag,
    body: settingsBody,
    examples: {
      profile: { profile_settings: { base_style: 'Concise', nick_name: 'Ada' } },
      memory: { memory_config: { max_user_items: 5 } },
    },
    operation: UpdateUserSettingsDocument,
    variables: ({ body }) => ({ input: settingsInput(body) }),
    present: ({ updateUserSettings }, { context }) =>
      dual(settingsJson(updateUserSettings), context.requestId),
    response: dualOf(settingsResource),
  }),
  route({
    method: 'get',
    path: `${path}/preferences`,
    rate: { perMinute: 600 },
    summary: 'Read your preferences',
    tag,
    operation: UserPreferencesDocument,
    variables: () => ({}),
    present: ({ userSettings }, { context }) =>
      dual({ preferences: preferencesJson(userSettings) }, context.requestId),
    response: dualOf(preferencesResource),
  }),
  route({
    method: 'patch',
    path: `${path}/preferences`,
    rate: { perMinute: 100 },
    summary: 'Change your preferences, key by key',
    tag,
    body: z.object({ preferences: preferencesBody }),
    examples: { search: { preferences: { enable_search: false } } },
    operation: UpdateUserPreferencesDocument,
    variables: ({ body }) => ({ preferences: body.preferences }),
    present: ({ updateUserSettings }, { context }) =>
      dual({ preferences: preferencesJson(updateUserSettings) }, context.requestId),
    response: dualOf(preferencesResource),
  }),
]
