import type { RequestContext } from '../../../../platform/context.ts'
import type { JsonObject } from '../../providers/index.ts'
import { contentText, type PromptScene } from '../scene.ts'
import type { PromptSettings } from '../user-settings.ts'
import type { PromptModule } from './module.ts'

/** What a memory is asked for. */
export interface RecallQuery {
  /** What the user says now. */
  readonly asked: string
  readonly conversationId: string | null
  /** The project of the conversation; null where it has none. */
  readonly projectId: string | null
  /** How much the user wants a model to be told, and what must fit how well. */
  readonly limits: PromptSettings['memoryConfig']
}

/** A memory of users beyond one conversation. Acts for the actor of the context. */
export interface MemoryRecall {
  /** One line each, the most fitting first. */
  recall(query: RecallQuery, context: RequestContext): Promise<readonly string[]>
}

const maxLines = 50
const maxLineLength = 500
const lastTurns = 3

/**
 * What is known from before (contract 2.9): what the request brings along, what the conversation's metadata says, what
 * is recalled; the last turns where there is none of these.
 */
export function memoryModule(recall: MemoryRecall | null): PromptModule {
  return {
    name: 'memory',
    async say(scene, context) {
      const brought = [...(scene.hints?.memory ?? []), ...fromMetadata(scene)]
      const isOn = scene.settings?.memoryConfig.enabled ?? false
      const recalled = isOn && recall ? await recalledBy(recall, scene, context) : []
      const known = [...brought, ...recalled]
      const lines = known.length > 0 ? known : isOn ? turnLines(scene.past) : []
      if (lines.length === 0) return null
      const told = lines.slice(0, maxLines).map((line) => `- ${shortened(line)}`)
      return scene.text('memory', { Memory: told.join('\n') })
    },
  }
}

/** Keys that begin with `memory`, in their order. */
function fromMetadata({ history }: PromptScene): string[] {
  return Object.entries(history?.metadata ?? {}).flatMap(([key, value]) =>
    key.startsWith('memory') && typeof value === 'string' && value.trim() !== '' ? [value] : [],
  )
}

/** A memory that fails is none: what else is known is told all the same. */
async function recalledBy(
  { recall }: MemoryRecall,
  { asked, history, settings }: PromptScene,
  context: RequestContext,
): Promise<readonly string[]> {
  if (!settings) return []
  const conversationId = history?.conversation.id ?? null
  try {
    const projectId = history?.projectId ?? null
    return await recall({ asked, conversationId, projectId, limits: settings.memoryConfig }, context)
  } catch (error) {
    context.log.warn({ err: error }, 'the memory could not be asked')
    return []
  }
}

const speakers: Readonly<Record<string, string>> = { user: 'The user said', assistant: 'You answered' }

/** The last turns, oldest first: what the user said and what was answered. */
function turnLines(past: readonly JsonObject[]): string[] {
  const spoken = past.flatMap(({ role, content }) => {
    const speaker = speakers[String(role)]
    const text = contentText(content)
    return speaker && text !== '' ? [{ role, line: `${speaker}: ${text}` }] : []
  })
  const begins = spoken.flatMap(({ role }, at) => (role === 'user' ? [at] : []))
  return spoken.slice(begins.at(-lastTurns) ?? 0).map(({ line }) => line)
}

function shortened(line: string): string {
  const text = line.replace(/\s+/g, ' ').trim()
  // half a character is refused by providers
  return text.length > maxLineLength ? `${text.slice(0, maxLineLength - 1).toWellFormed()}…` : text
}
