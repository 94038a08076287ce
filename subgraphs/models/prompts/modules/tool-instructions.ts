import type { PromptModule } from './module.ts'

const maxDescriptionLength = 300

/** Which tools there are, and how to go about them. */
export const toolInstructions: PromptModule = {
  name: 'tool_instructions',
  say({ request, text }) {
    const lines = (request.parsed.tools ?? []).flatMap((tool) => {
      const { name, description } = (tool.function ?? {}) as Readonly<Record<string, unknown>>
      if (typeof name !== 'string') return []
      const told =
        typeof description === 'string'
          ? `: ${description.slice(0, maxDescriptionLength).toWellFormed()}`
          : ''
      return [`- ${name}${told}`]
    })
    return lines.length === 0 ? null : text('tool_instructions', { Tools: lines.join('\n') })
  },
}
