import { z } from 'zod'
import {
  UpdateUserPreferencesDocument,
  UpdateUserSettingsDocument,
  UserPreferencesDocument,
  UserSettingsDocument,
} from '../operations.generated.ts'
import {
  type BaseStyle,
  baseStyles,
  examplePreferences,
  knownPreferences,
  preferencesJson,
  settingsJson,
  settingsResource,
} from '../present/user-settings.ts'
import { type Route, route } from '../route.ts'
import { boundedInt, dual, dualOf } from '../shapes.ts'

const tag = 'Settings'

const flag = z.boolean().nullish()
const count = (most: number) => z.int().nullish().describe(`0 to ${most}.`)
const text = (most: string) => z.string().nullish().describe(`Up to ${most} characters.`)

const preferencesBody = z
  .record(z.string(), z.unknown())
  .describe(
    'Keys, those of objects in it too, are merged into what there is; a null takes a key away. Keys of your own are kept.',
  )
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

const preferencesResource = z
  .object({ preferences: knownPreferences })
  .meta({ id: 'UserPreferences', examples: [{ preferences: examplePreferences }] })

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
      maxUserItems: boundedInt(memory.max_user_items),
      maxProjectItems: boundedInt(memory.max_project_items),
      maxEpisodicItems: boundedInt(memory.max_episodic_items),
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
