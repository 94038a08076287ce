import { pageText } from './page-text.ts'

/** The raster images that a page shows: nothing is fetched for it. */
const imageData = /^data:image\/(png|jpeg|gif|webp|avif);base64,/

/** A message's content as HTML. What a page can't show is named. */
export function contentHtml(content: unknown): string {
  return Array.isArray(content) ? content.map(blockHtml).join('\n') : ''
}

function blockHtml(block: unknown): string {
  const { type, text, code, image } = (block ?? {}) as Record<string, unknown>
  if (typeof code === 'string') return codeHtml(code)
  if (typeof text === 'string') return textHtml(text)
  return type === 'image' ? imageHtml((image as { url?: unknown } | null)?.url) : ''
}

function imageHtml(url: unknown): string {
  if (typeof url !== 'string' || !imageData.test(url)) return '<p class="note">[An image]</p>'
  return `<img src="${pageText(url)}" alt="An image of this conversation">`
}

/** Plain text, with what stands between Markdown's fences as code. A fence that is not closed ends with the text. */
function textHtml(text: string): string {
  const parts: { isCode: boolean; lines: string[] }[] = [{ isCode: false, lines: [] }]
  for (const line of text.split('\n')) {
    const last = parts.at(-1)
    if (/^ {0,3}```/.test(line)) parts.push({ isCode: !last?.isCode, lines: [] })
    else last?.lines.push(line)
  }
  return parts
    .map(({ isCode, lines }) => ({ isCode, part: lines.join('\n') }))
    .filter(({ part }) => part.trim() !== '')
    .map(({ isCode, part }) => (isCode ? codeHtml(part) : proseHtml(part)))
    .join('\n')
}

/** `dir="auto"`: each text has its own direction and none beside itself. */
const proseHtml = (text: string) => `<div class="text" dir="auto">${pageText(text)}</div>`

const codeHtml = (code: string) => `<pre dir="ltr"><code>${pageText(code)}</code></pre>`
