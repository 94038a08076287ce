import { spawnSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'

/** Imports the whole program, starts nothing, and tells which packages and built-in modules that brought. */
const program = `
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    load(url, context, next) {
      const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url) ?? []
      if (name) packages.add(name)
      return next(url, context)
    },
  })
  await import(process.argv[1])
  const builtIns = process.moduleLoadList.map((entry) => entry.split(' ').at(-1))
  console.log(JSON.stringify([...packages, ...builtIns]))
`

function loadedBy(file: string): string[] {
  const url = new URL(file, import.meta.url).href
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, url], {
    encoding: 'utf8',
  })
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** What is loaded when something first asks for it: each is a part of a start's time, or of the memory at rest. */
const forLater = [
  '@apollo/composition',
  '@apollo/federation-internals',
  '@apollo/gateway',
  '@apollo/query-planner',
  '@apollo/server',
  '@aws-sdk/client-s3',
  '@escape.tech/graphql-armor-max-depth',
  '@fastify/busboy',
  '@mikro-orm/migrations',
  '@smithy/core',
  'graphql-query-complexity',
  'image-size',
  'internal/deps/undici/undici',
  'pino-pretty',
  'rate-limiter-flexible',
  'sharp',
  'yaml',
]

describe('the program in one process', () => {
  it('is read without what most starts do not need', () => {
    const loaded = loadedBy('./one-process.ts')
    expect(loaded).toEqual(
      expect.arrayContaining(['graphql', 'express', '@mikro-orm/core', '@apollo/subgraph']),
    )
    expect(forLater.filter((name) => loaded.includes(name))).toEqual([])
  })
})
