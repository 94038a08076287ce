import { AppError } from '../../../platform/errors.ts'
import { optionalText } from '../../../platform/text.ts'
import type {
  MemorySettingsInput,
  ProfileSettingsInput,
  UpdateUserSettingsInput,
} from '../schema.generated.ts'

const maxTextLength = 32_768
const maxNameLength = 255
const maxModelIdLength = 512

/** In UTF-16 units of its JSON text. */
export const maxPreferencesLength = 64 * 1024

/** Holds a change to the ranges of contract 2.8. @throws AppError `invalid_parameter` naming the wire's field */
export function assertSettings({
  memoryConfig,
  profileSettings,
  preferences,
}: UpdateUserSettingsInput): void {
  if (memoryConfig) assertMemory(memoryConfig)
  if (profileSettings) assertProfile(profileSettings)
  if (preferences != null) assertPreferences(preferences)
}

function assertMemory(memory: MemorySettingsInput): void {
  assertRange(memory.maxUserItems, 20, 'max_user_items')
  assertRange(memory.maxProjectItems, 50, 'max_project_items')
  assertRange(memory.maxEpisodicItems, 20, 'max_episodic_items')
  assertRange(memory.minSimilarity, 1, 'min_similarity')
}

function assertRange(value: number | null | undefined, max: number, name: string): void {
  if (value == null || (value >= 0 && value <= max)) return
  throw invalid(`memory_config.${name}`, `must be from 0 to ${max}`)
}

function assertProfile({ customInstructions, nickName, occupation, moreAboutYou }: ProfileSettingsInput) {
  const name = (param: string) => ({
    param: `profile_settings.${param}`,
    max: maxNameLength,
    singleLine: true,
  })
  const text = (param: string) => ({ param: `profile_settings.${param}`, max: maxTextLength })
  optionalText(customInstructions, text('custom_instructions'))
  optionalText(nickName, name('nick_name'))
  optionalText(occupation, name('occupation'))
  optionalText(moreAboutYou, text('more_about_you'))
}

type Check = readonly [holds: (value: unknown) => boolean, says: string]

const isFlag: Check = [(value) => typeof value === 'boolean', 'must be true or false']

/** What must be so of the preferences that the platform itself reads; any others are the clients' own. */
const knownPreferences = new Map<string, Check>([
  ['enable_deep_research', isFlag],
  ['enable_thinking', isFlag],
  ['enable_search', isFlag],
  ['enable_browser', isFlag],
  [
    'selected_model',
    [
      (value) => typeof value === 'string' && value !== '' && value.length <= maxModelIdLength,
      'must be the id of a model',
    ],
  ],
  [
    'disable_modules',
    [
      (value) =>
        typeof value === 'string' ||
        (Array.isArray(value) && value.every((module) => typeof module === 'string')),
      'must be a list of names, or a text with commas',
    ],
  ],
])

function assertPreferences(preferences: unknown): void {
  if (typeof preferences !== 'object' || preferences === null || Array.isArray(preferences))
    throw invalid('preferences', 'must be an object')
  for (const [name, value] of Object.entries(preferences)) {
    const [holds, says] = knownPreferences.get(name) ?? []
    if (value !== null && holds?.(value) === false) throw invalid(`preferences.${name}`, says ?? '')
  }
}

/** To be held against what comes out of the merge. @throws AppError `invalid_parameter` */
export function assertPreferencesFit(preferences: unknown): void {
  if (JSON.stringify(preferences ?? {}).length > maxPreferencesLength)
    throw invalid('preferences', `must not be more than ${maxPreferencesLength} characters of JSON in all`)
}

function invalid(param: string, says: string): AppError {
  return new AppError('invalid_parameter', `${param} ${says}.`, { param })
}
