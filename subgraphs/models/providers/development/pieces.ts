/** Cuts text into the development model's tokens: words with the white space before them. Joined they are the text. */
export function pieces(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}
