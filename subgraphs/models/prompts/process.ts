import { LiveValue } from '../../../platform/live-value.ts'
import type { SubgraphServices } from '../../../platform/subgraph.ts'
import { PromptRegistry } from './registry.ts'
import { type AssignmentSource, assignmentSource } from './sources/assignments.ts'
import { type TemplateSource, templateSource } from './sources/templates.ts'

/** The hint by which processes tell each other that templates or assignments have changed. */
const channel = 'prompts_changed'

/** The part of the prompts that lives as long as the process. */
export interface PromptsProcess {
  readonly templates: TemplateSource
  readonly assignments: AssignmentSource
  /** What is active, in memory. */
  readonly live: LiveValue<PromptRegistry>
  close(): void
}

/** Stores the built-in templates, and reads what is active. */
export async function openPrompts({
  database,
  notifications,
  log,
}: Pick<SubgraphServices, 'database' | 'notifications' | 'log'>): Promise<PromptsProcess> {
  const templates = templateSource(database)
  const assignments = assignmentSource(database)
  const live = new LiveValue(
    {
      channel,
      notifications,
      read: async () => new PromptRegistry(await assignments.load()),
      failed: (error: unknown) => log.warn({ err: error }, 'the prompt templates could not be read again'),
    },
    new PromptRegistry({ templates: [], assignments: [] }),
  )
  await templates.seed()
  await live.open()
  return { templates, assignments, live, close: () => live.close() }
}
