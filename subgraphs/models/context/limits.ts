/** What a model takes where the catalogue does not say, in tokens (contract 2.1). */
const defaultContextTokens = 220_000

/** What is left for the answer where the request does not say how long it may be, at most. */
const usualAnswerTokens = 1_024

/** The longest message of the caller's that is answered, in tokens. It is never shortened: what was just asked is answered whole or refused. */
export const mostInputTokens = 24_000

/** How long the texts of a prompt may be, in tokens. Nothing shortens instructions, or what the user said last. */
export const textLimits = {
  /** What the user said before. */
  user: 24_000,
  toolResult: 20_000,
  toolArguments: 2_000,
  /** Each text of a message that has several parts. */
  part: 6_000,
} as const

/** How many images of each kind of message are kept. */
export const imageLimits = { tool: 6, user: 15 } as const

/** How long the schema of one tool may be, in bytes of JSON. */
export const mostSchemaBytes = 16 * 1024

/**
 * How many tokens messages and tools may have, so that there is room for the answer.
 * @param contextTokens what the model takes, null where nobody knows
 * @param answerTokens how long the answer may become, null where nobody said. One that no context could hold is not
 * believed: half of the context is left for it.
 */
export function promptTokens(contextTokens: number | null, answerTokens: number | null): number {
  const context = contextTokens ?? defaultContextTokens
  const answer = answerTokens ?? Math.min(usualAnswerTokens, Math.floor(context / 8))
  return context - (answer < context ? answer : Math.floor(context / 2))
}
