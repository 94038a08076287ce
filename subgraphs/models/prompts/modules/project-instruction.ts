import { projectText } from '../../completion/turn.ts'
import type { PromptModule } from './module.ts'

/** What the project of the conversation asks for. */
export const projectInstruction: PromptModule = {
  name: 'project_instruction',
  say: ({ history }) => (history?.instruction ? projectText(history.instruction) : null),
}
