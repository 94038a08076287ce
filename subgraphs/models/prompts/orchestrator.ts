import type { RequestContext } from '../../../platform/context.ts'
import type { LiveValue } from '../../../platform/live-value.ts'
import type { ChatRequest } from '../completion/chat-request.ts'
import { researchMessage } from '../completion/deep-research.ts'
import { projectText, type TurnHistory } from '../completion/turn.ts'
import type { JsonObject } from '../providers/index.ts'
import { lasting, type PromptModule } from './modules/index.ts'
import type { PromptedModel, PromptRegistry } from './registry.ts'
import { render } from './render.ts'
import { lastUserText, type PromptScene } from './scene.ts'
import type { PromptSettings, UserSettings } from './user-settings.ts'

/** What goes before a request's own messages. */
export interface PromptBefore {
  readonly before: readonly JsonObject[]
  /** The modules that had something to say, in their order; none where prompts are not orchestrated. */
  readonly modules: readonly string[]
}

/** What a prompt is made for. */
export interface PromptSubject {
  readonly request: ChatRequest
  readonly model: PromptedModel
  /** Null where no stored conversation takes part. */
  readonly history: TurnHistory | null
}

/** Puts prompts together. */
export interface PromptOrchestrator {
  /** Never fails: a module that does is left out. */
  orchestrate(subject: PromptSubject, context: RequestContext): Promise<PromptBefore>
}

/** What prompts are put together with. */
export interface OrchestratorParts {
  readonly modules: readonly PromptModule[]
  readonly live: LiveValue<PromptRegistry>
  readonly settings: UserSettings
}

const noModules: readonly string[] = []

/** Where prompts are not orchestrated: deep research, the project's instruction, what was said. */
export function plainPrompt({ request, history }: Omit<PromptSubject, 'model'>): PromptBefore {
  const before = [
    ...(request.parsed.deep_research ? [researchMessage] : []),
    ...(history?.instruction ? [{ role: 'system', content: projectText(history.instruction) }] : []),
    ...(history?.messages ?? []),
  ]
  return { before, modules: noModules }
}

/** Contract 2.9. What the modules say becomes one system message, in their order: not every model takes several. */
export function promptOrchestrator({ modules, live, settings }: OrchestratorParts): PromptOrchestrator {
  return {
    async orchestrate({ request, model, history }, context) {
      const known = await settings.of(context).catch((error: unknown) => withoutSettings(error, context))
      const registry = live.current
      const past = history?.messages ?? []
      const scene: PromptScene = {
        request,
        history,
        past,
        settings: known,
        hints: request.hints,
        asked: lastUserText(request),
        now: new Date(),
        text: (key, variables = {}) => render(registry.effective(key, model).content, variables),
      }
      const wanted = modules.filter(({ name }) => lasting.has(name) || !known?.disabled.has(name))
      const said = await Promise.all(wanted.map((module) => saidBy(module, scene, context)))
      const sections = said.filter((section) => section !== null)
      const system = sections.map(({ text }) => text).join('\n\n')
      return {
        before: sections.length > 0 ? [{ role: 'system', content: system }, ...past] : past,
        modules: sections.map(({ name }) => name),
      }
    },
  }
}

function withoutSettings(error: unknown, { log }: RequestContext): PromptSettings | null {
  log.warn({ err: error }, 'a prompt is made without its user’s settings')
  return null
}

async function saidBy(module: PromptModule, scene: PromptScene, context: RequestContext) {
  try {
    const text = await module.say(scene, context)
    return text === null ? null : { name: module.name, text }
  } catch (error) {
    context.log.warn({ err: error, module: module.name }, 'a prompt module failed')
    return null
  }
}
