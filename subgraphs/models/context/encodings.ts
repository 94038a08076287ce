/** The encodings of OpenAI's models, which other models do not have. */
export type EncodingName = 'o200k_base' | 'cl100k_base'

/** By the beginning of a model's name, its vendor left out; the first that fits holds. */
const byName: readonly (readonly [RegExp, EncodingName])[] = [
  [/^(gpt-4o|gpt-4\.[15]|gpt-5|gpt-oss|chatgpt-4o|o[134](-|$))/, 'o200k_base'],
  [/^(gpt-4|gpt-3\.5)/, 'cl100k_base'],
]

/**
 * How a model cuts text into tokens, where that is known.
 * @param tokenizer what the catalogue says of it (`architecture.tokenizer`)
 */
export function encodingOf(modelId: string, tokenizer: unknown): EncodingName | null {
  if (tokenizer === 'o200k_base' || tokenizer === 'cl100k_base') return tokenizer
  // A tokenizer that is named and is not OpenAI's (`Llama3`, `Qwen`) says more than a name that sounds like it.
  if (typeof tokenizer === 'string' && tokenizer !== '' && tokenizer !== 'GPT') return null
  const name = modelId.slice(modelId.lastIndexOf('/') + 1).toLowerCase()
  return byName.find(([beginning]) => beginning.test(name))?.[1] ?? null
}
