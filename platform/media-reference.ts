/** A text that is nothing but a media's id, in the three spellings that the contract knows (section 6). Any case. */
const placeholder = /^(?:data:[\w.+-]+\/[\w.+-]+;(?:base64,)?)?(jan_[0-9a-z]{26})$/i
const longestPlaceholder = 200
/** The id that a text stands for; null where it stands for none. */
export function mediaIdIn(text: string): string | null {
  if (text.length > longestPlaceholder) return null
  return placeholder.exec(text)?.[1]?.toLowerCase() ?? null
}
