import type { PromptModule } from './module.ts'

/** How to work where deep research was asked for. */
export const deepResearch: PromptModule = {
  name: 'deep_research',
  say: ({ request, text }) => (request.parsed.deep_research ? text('deep_research') : null),
}
