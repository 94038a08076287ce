import type { RequestContext } from '../../../platform/context.ts'
import type { MemoryRecall, RecallQuery } from '../prompts/modules/index.ts'
import type { Recall, Recalled } from './recall.ts'

/** What a user may set at most: what is not wanted of it is left out afterwards. */
const mostUserItems = 20

/**
 * Memory for prompts: what the user's settings let a model be told, as lines. It takes no longer than an answer may wait for it.
 * @throws whatever recall fails with, and a TimeoutError
 */
export function promptMemory(recall: Recall, timeoutMs: number): MemoryRecall {
  return {
    async recall(query, base) {
      const { limits } = query
      if (!limits.injectUserCore && !limits.injectSemantic && !limits.injectEpisodic) return []
      const signal = AbortSignal.any([base.signal, AbortSignal.timeout(timeoutMs)])
      const context: RequestContext = { ...base, signal }
      return lines(await recall(wishOf(query), context), limits)
    },
  }
}

function wishOf({ asked, conversationId, projectId, limits }: RecallQuery) {
  return {
    query: asked,
    projectId,
    exceptConversationId: conversationId,
    maxUserItems: limits.injectUserCore || limits.injectSemantic ? mostUserItems : 0,
    maxProjectItems: limits.injectSemantic ? limits.maxProjectItems : 0,
    maxEpisodicItems: limits.injectEpisodic ? limits.maxEpisodicItems : 0,
    minSimilarity: limits.minSimilarity,
  }
}

function lines({ user, project, episodic }: Recalled, limits: RecallQuery['limits']): string[] {
  const told = user.filter(({ memory }) =>
    memory.scope === 'CORE' ? limits.injectUserCore : limits.injectSemantic,
  )
  return [
    ...told.slice(0, limits.maxUserItems).map(({ memory }) => `About the user: ${memory.text}`),
    ...project.map(({ memory }) => `About the project (${memory.key}): ${memory.text}`),
    ...episodic.map(({ memory }) => `An earlier conversation: ${memory.text}`),
  ]
}
