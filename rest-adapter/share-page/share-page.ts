import { hash } from 'node:crypto'
import type { AppError } from '../../platform/errors.ts'
import type { OpenedShare } from '../present/public-share.ts'
import { contentHtml } from './blocks.ts'
import { pageText } from './page-text.ts'

const style = `
:root { color-scheme: light dark; --text: #1c1c1e; --quiet: #6b6b70; --ground: #fff; --raised: #f3f3f5; --line: #dcdce0 }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececee; --quiet: #a0a0a6; --ground: #17171a; --raised: #232327; --line: #38383e }
}
body { margin: 0 auto; padding: 2rem 1rem 4rem; max-width: 46rem; color: var(--text); background: var(--ground);
  font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.3 }
h2 { margin: 0 0 .25rem; font-size: .85rem; color: var(--quiet) }
article { margin: 1.5rem 0; padding: 1rem 0 0; border-top: 1px solid var(--line) }
.user { padding: 1rem; border: 0; border-radius: .75rem; background: var(--raised) }
.text { white-space: pre-wrap }
.note { margin: 0; color: var(--quiet) }
pre { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised);
  white-space: pre; overflow-x: auto; font: .875rem/1.5 ui-monospace, monospace }
img { max-width: 100%; border-radius: .5rem }
`

/** Nothing runs, nothing is fetched, nothing is sent anywhere, and nobody frames it. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', style, 'base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const roleNames: Readonly<Record<string, string>> = { USER: 'User', ASSISTANT: 'Assistant', TOOL: 'Tool' }

const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

/** A share as a page to read, without a script. Whatever was written in it is text. */
export function sharePage({ title, createdAt, snapshot }: OpenedShare): string {
  const model = snapshot.modelName === null ? '' : ` · <bdi>${pageText(snapshot.modelName)}</bdi>`
  const date = `<time datetime="${pageText(createdAt)}">${dateFormat.format(new Date(createdAt))}</time>`
  const items = snapshot.items.map(
    ({ role, content }) => `<article class="${pageText(role.toLowerCase())}">
<h2>${pageText(roleNames[role] ?? role)}</h2>
${contentHtml(content)}
</article>`,
  )
  return page(
    title,
    `<h1 dir="auto">${pageText(title)}</h1>
<p class="note">Shared on ${date}${model}</p>
${items.join('\n')}`,
  )
}

/** What a browser is told where there is nothing to read. */
export function failurePage({ message, status }: AppError): string {
  const title = status === 410 ? 'No longer shared' : 'Nothing is shared here'
  return page(title, `<h1>${title}</h1>\n<p class="note">${pageText(message)}</p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${pageText(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}
