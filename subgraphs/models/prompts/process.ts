import { LiveValue } from '../../../platform/live-value.ts'
import type { SubgraphServices } from '../../../platform/subgraph.ts'
import type { ModelsConfig } from '../config.ts'
import { type MemoryRecall, type ModuleSwitches, promptModules } from './modules/index.ts'
import { type PromptOrchestrator, promptOrchestrator } from './orchestrator.ts'
import { PromptRegistry } from './registry.ts'
import { type AssignmentSource, assignmentSource } from './sources/assignments.ts'
import { type TemplateSource, templateSource } from './sources/templates.ts'
import { userSettings } from './user-settings.ts'

/** The hint by which processes tell each other that templates or assignments have changed. */
const channel = 'prompts_changed'

/** The part of the prompts that lives as long as the process. */
export interface PromptsProcess {
  readonly templates: TemplateSource
  readonly assignments: AssignmentSource
  /** What is active, in memory. */
  readonly live: LiveValue<PromptRegistry>
  /** Null where prompts are not orchestrated. */
  readonly orchestrator: PromptOrchestrator | null
  close(): Promise<void>
}

/** How prompts are opened. */
export interface PromptServices
  extends Pick<SubgraphServices<ModelsConfig>, 'database' | 'notifications' | 'log' | 'settings'> {
  /** A memory of users, where there is one. */
  readonly recall?: MemoryRecall | null
}

/** Stores the built-in templates, and reads what is active. */
export async function openPrompts({
  database,
  notifications,
  log,
  settings: config,
  recall = null,
}: PromptServices): Promise<PromptsProcess> {
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
  const settings = config.PROMPT_ORCHESTRATION_ENABLED ? userSettings(notifications) : null
  const modules = promptModules(switchesOf(config), recall)
  return {
    templates,
    assignments,
    live,
    orchestrator: settings && promptOrchestrator({ modules, live, settings }),
    async close() {
      settings?.close()
      await live.close()
    },
  }
}

function switchesOf(config: ModelsConfig): ModuleSwitches {
  return {
    memory: config.PROMPT_ORCHESTRATION_MEMORY,
    templates: config.PROMPT_ORCHESTRATION_TEMPLATES,
    tools: config.PROMPT_ORCHESTRATION_TOOLS,
  }
}
