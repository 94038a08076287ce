import type { PromptSettings } from '../user-settings.ts'
import type { PromptModule } from './module.ts'

type Profile = PromptSettings['profileSettings']

const styles: Readonly<Record<Profile['baseStyle'], string>> = {
  CONCISE: 'concise: as few words as will do, no preamble, no repetition',
  FRIENDLY: 'friendly: warm and informal',
  PROFESSIONAL: 'professional: formal, precise and to the point',
}

/** What the user has set about themselves. Friendly is what everybody has who has set nothing. */
export const userProfile: PromptModule = {
  name: 'user_profile',
  say({ settings, text }) {
    const profile = settings?.profileSettings
    if (!profile || !isSet(profile)) return null
    const lines = [
      `Style of answers: ${styles[profile.baseStyle]}`,
      ...told('Name', profile.nickName),
      ...told('Occupation', profile.occupation),
      ...told('About the user', profile.moreAboutYou),
      ...told('Instructions of the user', profile.customInstructions),
    ]
    return text('user_profile', { Profile: lines.map((line) => `- ${line}`).join('\n') })
  },
}

function isSet({ baseStyle, ...texts }: Profile): boolean {
  return baseStyle !== 'FRIENDLY' || Object.values(texts).some((value) => value.trim() !== '')
}

function told(name: string, value: string): string[] {
  return value.trim() === '' ? [] : [`${name}: ${value.trim()}`]
}
