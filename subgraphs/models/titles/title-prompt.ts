import { partsOf } from '../context/index.ts'
import type { JsonObject } from '../providers/index.ts'

const mostMessages = 6
const mostUnits = 500

/** The body, without its model, that asks for a title of what the user has said (contract 2.4). */
export function titlePrompt(said: readonly string[]): JsonObject {
  return {
    messages: [
      {
        role: 'system',
        content:
          'You name conversations. Answer with a title of three to six words in the language of the user, and with nothing else: no quotation marks, no explanation.',
      },
      {
        role: 'user',
        content: `What the user said, oldest first:\n\n${said.map((text) => `- ${text}`).join('\n')}\n\nThe title:`,
      },
    ],
    max_tokens: 64,
    temperature: 0.2,
  }
}

/** The beginnings of what the user said first and of what was said last. */
export function saidBy(messages: readonly JsonObject[]): string[] {
  const texts = messages.filter(({ role }) => role === 'user').map(textOf)
  const told = texts.filter((text) => text !== '')
  const chosen = told.length <= mostMessages ? told : [...told.slice(0, 1), ...told.slice(1 - mostMessages)]
  return chosen.map((text) => text.slice(0, mostUnits).toWellFormed())
}

/** What a model answered, as far as it is a title; null where nothing of it is. */
export function titleIn(answer: unknown): string | null {
  if (typeof answer !== 'string') return null
  const spoken = answer.replace(/<think>[\s\S]*?(<\/think>|$)/gi, '')
  const line = spoken.split('\n').find((line) => /[\p{L}\p{N}]/u.test(line))
  return line?.replace(/^[\s*#"'_]*title\s*:/i, '').trim() || null
}

function textOf(message: JsonObject): string {
  const { content } = message
  if (typeof content === 'string') return content.trim()
  return partsOf(message)
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('\n')
    .trim()
}
