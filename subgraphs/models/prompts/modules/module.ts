import type { RequestContext } from '../../../../platform/context.ts'
import type { PromptScene } from '../scene.ts'

/** A piece of the prompt that is told where there is reason to. */
export interface PromptModule {
  /** What settings switch it off by, and what answers name it by. */
  readonly name: string
  /** Its text; null where it has nothing to say. */
  say(scene: PromptScene, context: RequestContext): string | null | Promise<string | null>
}
