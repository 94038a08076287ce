import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'

const root = fileURLToPath(new URL('..', import.meta.url))
const documents = [...globSync('*.md', { cwd: root }), ...globSync('docs/**/*.md', { cwd: root })]
const rooms =
  /^(bench|docs|gateway|platform|rest-adapter|schema|scripts|subgraphs|tests|wiring)\/[\w./-]+\.(ts|js|json|md|graphql)$/

/** Where a document's links and the paths in its backticks lead, from the root. */
function pathsIn(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```.*?^```/gms, '')
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link)
  const named = [...text.matchAll(/`([^`\n]+)`/g)].map(([, path = '']) => path)
  return [
    ...links.filter((link) => !URL.canParse(link)).map((link) => join(dirname(document), link)),
    ...named.filter((path) => rooms.test(path)),
  ]
}

it.each(documents.filter((document) => document !== 'CHANGELOG.md'))(
  '%s names files that there are',
  (document) => {
    expect(pathsIn(document).filter((path) => !existsSync(join(root, path)))).toEqual([])
  },
)
