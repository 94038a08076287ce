/** A fenced block of a Markdown page. */
export interface FencedBlock {
  readonly language: string
  readonly text: string
}

export function fencedBlocks(markdown: string): FencedBlock[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text: text.trimEnd(),
  }))
}

/** The commands of a shell block: one may go over several lines, blank lines part them. */
export function commandsOf({ text }: FencedBlock): string[] {
  return text.split(/\n\s*\n/).map((command) => command.trim())
}
