import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'

/** What a request says beside its body of how its prompt shall be; as it came. */
export interface PromptHints {
  readonly persona: string | null
  readonly memory: string | null
  readonly acceptLanguage: string | null
}

/** Null where it says nothing. The parameter wins over the header (contract 2.1). */
export function promptHints(
  persona: string | undefined,
  { 'x-prompt-persona': asked, 'x-prompt-memory': memory, 'accept-language': language }: IncomingHttpHeaders,
): PromptHints | null {
  const acceptLanguage = language === undefined || language === '*' ? null : language
  if (persona === undefined && asked === undefined && memory === undefined && acceptLanguage === null)
    return null
  return { persona: persona ?? headerText(asked), memory: headerText(memory), acceptLanguage }
}

/** Node reads headers as latin1; what clients write there is UTF-8, where it can be read so. */
function headerText(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  const text = Array.isArray(value) ? value.join(';') : value
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : text
}
