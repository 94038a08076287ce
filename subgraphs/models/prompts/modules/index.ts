import { chainOfThought } from './chain-of-thought.ts'
import { codeAssistant } from './code-assistant.ts'
import { deepResearch } from './deep-research.ts'
import { type MemoryRecall, memoryModule } from './memory.ts'
import type { PromptModule } from './module.ts'
import { projectInstruction } from './project-instruction.ts'
import { timing } from './timing.ts'
import { toolInstructions } from './tool-instructions.ts'
import { userProfile } from './user-profile.ts'

export type { MemoryRecall, RecallQuery } from './memory.ts'
export type { PromptModule } from './module.ts'

/** Which groups of modules are on. */
export interface ModuleSwitches {
  readonly memory: boolean
  readonly templates: boolean
  readonly tools: boolean
}

/** The modules that are on, in the order of contract 2.9 (-20, -15, -10, 5, 10, 20, 30, 40). */
export function promptModules(
  { memory, templates, tools }: ModuleSwitches,
  recall: MemoryRecall | null,
): readonly PromptModule[] {
  return [
    deepResearch,
    timing,
    projectInstruction,
    userProfile,
    ...(memory ? [memoryModule(recall)] : []),
    ...(tools ? [toolInstructions] : []),
    ...(templates ? [codeAssistant, chainOfThought] : []),
  ]
}

/** What a user can't switch off: it is the project's. */
export const lasting: ReadonlySet<string> = new Set([projectInstruction.name])
