import { builtInTemplates } from '../prompts/built-in.ts'

/** What `deep_research` puts before everything else. */
export const researchMessage = { role: 'system', content: builtInTemplates.deep_research.content } as const
