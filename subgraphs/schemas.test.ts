import { readFileSync } from 'node:fs'
import { buildSubgraphSchema } from '@apollo/subgraph'
import { describe, expect, it } from '@jest/globals'
import { parse, printSchema } from 'graphql'
import { subgraphs } from './index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('the schema of a subgraph', () => {
  it.each(subgraphs)('is what @apollo/subgraph makes of its SDL: $name', ({ name, schema }) => {
    const typeDefs = parse(`${read('../schema/shared.graphql')}\n${read(`./${name}/schema.graphql`)}`)
    expect(printSchema(schema())).toBe(printSchema(buildSubgraphSchema({ typeDefs })))
  })
})
