import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { describe, expect, it } from '@jest/globals'
import { parse, printSchema } from 'graphql'
import { subgraphs } from './index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

describe('the schema of a subgraph', () => {
  it.each(subgraphs)('is what @apollo/subgraph makes of its SDL: $name', ({ name, schema }) => {
    const own = globSync([`subgraphs/${name}/schema.graphql`, `subgraphs/${name}/schema/*.graphql`], {
      cwd: root,
    })
    const sdl = ['schema/shared.graphql', ...own].map(read).join('\n')
    expect(printSchema(schema())).toBe(printSchema(buildSubgraphSchema({ typeDefs: parse(sdl) })))
  })
})
