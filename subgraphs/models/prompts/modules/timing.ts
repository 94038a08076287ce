import type { PromptModule } from './module.ts'

const dateOf = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
})
const languageNames = new Intl.DisplayNames(['en'], { type: 'language' })

/** Who the assistant is, what day it is (in UTC), and what language the user reads. */
export const timing: PromptModule = {
  name: 'timing',
  say({ text, now, hints }) {
    const { persona = null, language = null } = hints ?? {}
    return [
      text('timing', { CurrentDate: dateOf.format(now) }),
      ...(persona ? [`Speak and act as this persona: ${persona}`] : []),
      ...(language
        ? [
            `The user reads ${languageNames.of(language)} (${language}): answer in it where the user does not write in another language.`,
          ]
        : []),
    ].join('\n')
  },
}
