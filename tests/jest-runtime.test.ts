import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { projectRoot, runProgram } from './program.ts'

/**
 * Two test files, which one worker runs one after the other. Each says what it finds and leaves all that it can behind: what the
 * other finds must be the same, but for the package, which is loaded once.
 */
const FILE = `
  import { appendFileSync } from 'node:fs'
  import { expect, it, jest } from '@jest/globals'
  import { GraphQLError, parse } from 'graphql'
  import { list } from './list.cjs'
  import { counter } from './source.ts'

  it('finds', async () => {
    const found = {
      source: counter.files,
      package: GraphQLError.files ?? 0,
      added: typeof added,
      fetch: fetch.name,
      variables: [process.env.LEFT ?? null, process.env.GIVEN ?? null],
      exit: process.exit.name,
      matcher: typeof expect(1).toBeLeft,
      timer: typeof setTimeout(() => {}),
    }
    appendFileSync('found', JSON.stringify(found) + '\\n')
  })

  it('has one of each built-in class', async () => {
    const { GraphQLError: again } = await import('graphql')
    expect(again).toBe(GraphQLError)
    expect(() => parse('{')).toThrow(Error)
    expect(() => Buffer.alloc(-1)).toThrow(RangeError)
    expect(list).toBeInstanceOf(Array)
  })

  it('leaves behind', () => {
    counter.files += 1
    GraphQLError.files = (GraphQLError.files ?? 0) + 1
    globalThis.added = true
    globalThis.fetch = function replaced() {}
    process.env.LEFT = 'yes'
    delete process.env.GIVEN
    process.exit = function left() {}
    expect.extend({ toBeLeft: () => ({ pass: true, message: () => '' }) })
    jest.useFakeTimers()
  })
`

/** The first project of the configuration, on another folder. */
const CONFIG = `
  import config from ${JSON.stringify(`${projectRoot}jest.config.js`)}
  const [{ testEnvironment, runtime, transform, extensionsToTreatAsEsm }] = config.projects
  const ours = (path) => path.replace('<rootDir>/', ${JSON.stringify(projectRoot)})
  export default {
    transform,
    extensionsToTreatAsEsm,
    testEnvironment: ours(testEnvironment),
    runtime: ours(runtime),
    cacheDirectory: '<rootDir>/cache',
  }
`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jest-runtime-'))
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const files = {
    'package.json': '{ "type": "module" }',
    'jest.config.js': CONFIG,
    'source.ts': 'export const counter: { files: number } = { files: 0 }',
    'list.cjs': 'exports.list = [require("node:path").sep]',
    'first.test.ts': FILE,
    'second.test.ts': FILE,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

it('gives each test file sources, globals and variables as if it were the first, and packages once', async () => {
  const jest = join(projectRoot, 'node_modules/jest/bin/jest.js')
  const { code, output } = await runProgram(['node', '--experimental-vm-modules', jest, '--runInBand'], {
    cwd: folder,
    env: { GIVEN: 'by the shell' },
    limitMs: 60_000,
  })
  expect(output).toContain('6 passed, 6 total')
  expect(code).toBe(0)
  const untouched = {
    source: 0,
    added: 'undefined',
    fetch: 'fetch',
    variables: [null, 'by the shell'],
    exit: 'exit',
    matcher: 'undefined',
    timer: 'object',
  }
  expect(found()).toEqual([
    { ...untouched, package: 0 },
    { ...untouched, package: 1 },
  ])
}, 60_000)

function found(): unknown[] {
  const lines = readFileSync(join(folder, 'found'), 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}
