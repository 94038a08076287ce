import { parseObject } from './parse-object.ts'
import type { CompletionUsage, JsonObject, StreamReport } from './provider.ts'
import { TokenEstimate } from './token-estimate.ts'

/** How many of the last frames are kept: the finish, the usage, and what some providers append. A power of two. */
const kept = 4

/** Keeps a stream's account while its frames pass: counts each, and parses only the last ones, at the end. */
export class StreamRecord {
  readonly #startedAt = performance.now()
  readonly #estimate = new TokenEstimate()
  readonly #last: Buffer[] = []
  #frames = 0
  #firstTokenMs: number | null = null
  #durationMs: number | null = null

  add(frame: Buffer): void {
    this.#last[this.#frames++ & (kept - 1)] = frame
    const produced = this.#estimate.add(frame)
    if (produced && this.#firstTokenMs === null) this.#firstTokenMs = performance.now() - this.#startedAt
  }

  /** Stops the clock. */
  end(): void {
    this.#durationMs ??= performance.now() - this.#startedAt
  }

  /** Whether a choice of the last frames has finished. */
  get finished(): boolean {
    return this.report().finishReason !== null
  }

  report(): StreamReport {
    const last = this.#lastFrames().map(parseObject)
    return {
      frames: this.#frames,
      firstTokenMs: this.#firstTokenMs,
      durationMs: this.#durationMs ?? performance.now() - this.#startedAt,
      finishReason: last.map(finishReason).find((reason) => reason !== null) ?? null,
      usage: last.map(usageOf).find((usage) => usage !== null) ?? null,
      estimatedCompletionTokens: this.#estimate.tokens,
    }
  }

  /** The kept frames, newest first. */
  #lastFrames(): Buffer[] {
    const count = Math.min(kept, this.#frames)
    return Array.from(
      { length: count },
      (_, back) => this.#last[(this.#frames - 1 - back) & (kept - 1)],
    ).filter((frame) => frame !== undefined)
  }
}

/** A provider's usage figures where they are whole, else null. */
export function usageOf(body: JsonObject | null): CompletionUsage | null {
  const usage = body?.usage as Record<string, unknown> | null | undefined
  const prompt = tokenCount(usage?.prompt_tokens)
  if (prompt === null) return null
  const completion = tokenCount(usage?.completion_tokens) ?? 0
  const total = tokenCount(usage?.total_tokens) ?? prompt + completion
  return { ...usage, prompt_tokens: prompt, completion_tokens: completion, total_tokens: total }
}

/** Two of them together are still an integer of the database and of GraphQL. */
const mostTokens = 2 ** 30 - 1

/** A figure that a provider can mean; null for what it can't. */
export function tokenCount(value: unknown): number | null {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= mostTokens
    ? (value as number)
    : null
}

function finishReason(body: JsonObject | null): string | null {
  const choices: unknown[] = Array.isArray(body?.choices) ? body.choices : []
  const reasons = choices.map((choice) => (choice as { finish_reason?: unknown } | null)?.finish_reason)
  return reasons.find((reason): reason is string => typeof reason === 'string' && reason !== '') ?? null
}
