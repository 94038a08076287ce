import { escapedHtml } from '../../platform/html.ts'

/** What would turn the writing direction of what stands after it: embeddings, overrides and isolates. */
const directionControls = /[\u202a-\u202e\u2066-\u2069]/g
/** Control characters beside line breaks and tabs. */
const controls = /(?![\n\t])\p{Cc}/gu

/** A text from outside for a page, as an element's content or in a quoted attribute. */
export function pageText(text: string): string {
  const readable = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(directionControls, '')
    .replace(controls, '')
  return escapedHtml(readable)
}
