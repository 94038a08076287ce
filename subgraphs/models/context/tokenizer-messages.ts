import type { EncodingName } from './encodings.ts'
import type { WantedText } from './token-counter.ts'

/** What the tokenizer's thread is asked. Answered in the order in which it came. */
export type TokenizerQuestion = {
  readonly id: number
  readonly encoding: EncodingName
  /** When nobody waits for the answer any more, in Unix milliseconds. */
  readonly until: number
} & TokenizerWork

/** What there is to be counted: as the methods of `TokenCounter`. */
export type TokenizerWork =
  | { readonly kind: 'count'; readonly texts: readonly string[]; readonly enough: number }
  | { readonly kind: 'fit'; readonly wanted: readonly WantedText[] }

/** What it answers. */
export interface TokenizerAnswer {
  readonly id: number
  /** Null where it came too late. */
  readonly numbers: readonly number[] | null
}
