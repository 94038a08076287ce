import type { PromptModule } from './module.ts'

/** Words that are hardly said but of code, and its marks. */
const ofCode =
  /```|\b(code|coding|coder|function|method|compil(e|er|es|ing)|debug(ging|ger)?|bugs?|refactor(ing)?|stack ?trace|exception|syntax|regexp?|unit tests?|algorithm|sql|html|css|json|yaml|api|typescript|javascript|python|java|kotlin|swift|golang|rust|ruby|php|c\+\+|c#|bash|shell script|dockerfile|git)\b/i

/** How to write about code, where the user does. */
export const codeAssistant: PromptModule = {
  name: 'code_assistant',
  say: ({ asked, text }) => (ofCode.test(asked) ? text('code_assistant') : null),
}
