import type { ListedModel, Offer } from '../catalogue/registry.ts'
import { encodingOf } from './encodings.ts'
import { promptTokens } from './limits.ts'
import { hasAttachments, textBytes } from './message-text.ts'
import { byteCounter, type TokenCounter } from './token-counter.ts'
import type { TokenRates } from './token-rates.ts'
import type { Tokenizer } from './tokenizer.ts'
import { type Prompt, surelyFits, type TrimmedPrompt, trim } from './trim.ts'

/** What tokens are counted with, in one process. */
export interface TokenCounting {
  readonly tokenizer: Tokenizer
  readonly rates: TokenRates
}

/** A model as one provider offers it. */
export interface OfferedModel {
  readonly model: ListedModel
  readonly offer: Offer
}

/** Counts as a model does where its encoding is known, else by what its provider has counted so far. */
export function counterOf(offered: OfferedModel, { tokenizer, rates }: TokenCounting): TokenCounter {
  const encoding = encodingIn(offered)
  const estimate = byteCounter(rates.of(offered.offer.modelId))
  return encoding === null ? estimate : tokenizer.counter(encoding, estimate)
}

/** One prompt, brought into the limits of whichever model is asked. */
export class PromptFitting {
  readonly #prompt: Prompt
  readonly #answerTokens: (model: ListedModel) => number | null
  readonly #counting: TokenCounting
  readonly #fitted = new Map<string, Promise<TrimmedPrompt>>()

  /** @param answerTokens how long the answer of a model may become, null where nobody said */
  constructor(prompt: Prompt, answerTokens: (model: ListedModel) => number | null, counting: TokenCounting) {
    this.#prompt = prompt
    this.#answerTokens = answerTokens
    this.#counting = counting
  }

  /** At once, and counting nothing, where all fits. Models with the same limits get the same. */
  for(offered: OfferedModel): TrimmedPrompt | Promise<TrimmedPrompt> {
    const { model, offer } = offered
    const tokens = promptTokens(model.contextLength, this.#answerTokens(model))
    if (surelyFits(this.#prompt, { tokens })) return { ...this.#prompt, trimmed: false }
    const key = `${tokens} ${encodingIn(offered) ?? offer.modelId}`
    const known = this.#fitted.get(key)
    if (known) return known
    const fitted = trim(this.#prompt, { tokens }, counterOf(offered, this.#counting))
    this.#fitted.set(key, fitted)
    return fitted
  }
}

/** Learns from what a provider has counted, where nothing but text was to be counted. */
export function learnTokens(
  offered: OfferedModel,
  { messages, tools }: Prompt,
  promptTokens: number,
  { rates }: TokenCounting,
): void {
  if (encodingIn(offered) !== null || tools !== null || messages.some(hasAttachments)) return
  rates.learn(offered.offer.modelId, textBytes(messages), promptTokens)
}

function encodingIn({ model, offer }: OfferedModel) {
  return encodingOf(offer.modelId, model.entry?.architecture.tokenizer)
}
