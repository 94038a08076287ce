import { LRUCache } from 'lru-cache'

/** What is taken for true before a model has been asked: a token is four bytes. */
const usualRate = 1 / 4
/** Far outside of this is no language, and what one user sends must not cost others half of their context. */
const bounds = { least: 1 / 8, most: 1 / 2 }
/** How much one answer counts against all before it. */
const weight = 0.05
/** Shorter prompts say more of the template than of the text. */
const leastBytes = 1_000
const mostModels = 1_000

/** How many tokens a byte of text is, by model: learned from what providers count. */
export class TokenRates {
  readonly #rates = new LRUCache<string, number>({ max: mostModels })

  /** Tokens per byte. */
  of(modelId: string): number {
    return this.#rates.get(modelId) ?? usualRate
  }

  /** @param bytes of the prompt's texts @param tokens as the provider counted them */
  learn(modelId: string, bytes: number, tokens: number): void {
    if (bytes < leastBytes || tokens <= 0) return
    const seen = Math.min(bounds.most, Math.max(bounds.least, tokens / bytes))
    this.#rates.set(modelId, this.of(modelId) * (1 - weight) + seen * weight)
  }
}
