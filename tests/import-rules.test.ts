import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

/**
 * A small tree that keeps every rule, and beside it one module per thing that is forbidden. A rule that a change to
 * .dependency-cruiser.mjs silences fails here.
 */
const KEEPS_THE_RULES: Record<string, string> = {
  'wiring/main.ts': `
    import '../subgraphs/index.ts'
    import '../gateway/index.ts'
    import '../rest-adapter/app.ts'
    import './test.ts'`,
  'wiring/test.ts': "import '../platform/testing/database.ts'",
  'platform/testing/database.ts': "import '@jest/globals'",
  'platform/context.ts':
    "import type { Graph } from './graph.ts'; export type Context = Graph; import 'express'",
  'platform/graph.ts': `
    import type { Context } from './context.ts'
    import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
    export type Graph = [Context, TypedDocumentNode]`,
  'platform/db.ts': "import '@mikro-orm/core'",
  'platform/embedded/postgres.ts': 'export const postgres = 1',
  'platform/edge-stores/postgres-stream-log.ts': 'export const log = 1',
  'platform/object-store/index.ts': "import '@aws-sdk/client-s3'",
  'subgraphs/index.ts': "import './projects/index.ts'; import './media/index.ts'",
  'subgraphs/projects/index.ts': `
    import './service.ts'
    import './sources.ts'
    import '@mikro-orm/core'
    import '../../platform/db.ts'
    import '../../platform/embedded/postgres.ts'
    import '../../platform/object-store/index.ts'
    import '../../platform/edge-stores/postgres-stream-log.ts'`,
  'subgraphs/projects/service.ts':
    "import type { Sources } from './sources.ts'; export type Service = Sources",
  'subgraphs/projects/sources.ts': "import 'kysely'; import '@mikro-orm/postgresql'; export type Sources = 1",
  'subgraphs/media/index.ts': 'export const media = 1',
  'gateway/index.ts': "import '@apollo/query-planner'; import '../platform/context.ts'",
  'rest-adapter/app.ts': "import 'express'; import 'zod'; import 'node:fs'; import '../platform/context.ts'",
  'schema/generate.ts': "import '@apollo/composition'; import '@graphql-codegen/core'",
  'subgraphs/projects/service.db.test.ts': "import './service.ts'; import '../../wiring/test.ts'",
  'tests/all.test.ts':
    "import '../wiring/main.ts'; import '../platform/testing/database.ts'; import 'openai'",
}

const FORBIDDEN: [rule: string, from: string, text: string][] = [
  ['platform-alone', 'platform', "import '../gateway/index.ts'"],
  ['platform-alone', 'platform', "import type { Media } from '../subgraphs/index.ts'"],
  ['subgraph-alone', 'subgraphs/projects', "import '../media/index.ts'"],
  ['subgraph-alone', 'subgraphs/projects', "import type { Media } from '../media/index.ts'"],
  ['subgraph-alone', 'subgraphs/projects', "import '../index.ts'"],
  ['subgraph-alone', 'subgraphs/projects', "import '../../gateway/index.ts'"],
  ['wiring-not-imported', 'subgraphs/projects', "import '../../wiring/test.ts'"],
  ['subgraph-alone', 'subgraphs/projects', "import '../../wiring/main.ts'"],
  ['subgraph-serves-nothing', 'subgraphs/projects', "import type { Request } from 'express'"],
  ['subgraph-serves-nothing', 'subgraphs/projects', "import '@apollo/server'"],
  ['subgraph-front-door', 'wiring', "import '../subgraphs/projects/service.ts'"],
  ['database-in-sources', 'subgraphs/projects', "import { EntityManager } from '@mikro-orm/core'"],
  ['database-in-sources', 'subgraphs/projects', "import type { EntityManager } from '@mikro-orm/postgresql'"],
  ['database-in-sources', 'subgraphs/projects', "import 'pg'"],
  ['gateway-alone', 'gateway', "import '../subgraphs/index.ts'"],
  ['gateway-alone', 'gateway', "import '@mikro-orm/core'"],
  ['adapter-alone', 'rest-adapter', "import '../gateway/index.ts'"],
  ['adapter-alone', 'rest-adapter', "import '../subgraphs/projects/index.ts'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '../platform/db.ts'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '../platform/embedded/postgres.ts'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '../platform/edge-stores/postgres-stream-log.ts'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '../platform/object-store/index.ts'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '@aws-sdk/client-s3'"],
  ['adapter-stores-nothing', 'rest-adapter', "import '@mikro-orm/core'"],
  ['adapter-stores-nothing', 'rest-adapter', "export const undici = await import('undici')"],
  ['wiring-not-imported', 'rest-adapter', "import '../wiring/test.ts'"],
  ['schema-tools-not-imported', 'wiring', "import '../schema/generate.ts'"],
  ['schema-tools-read-text', 'schema', "import '../subgraphs/index.ts'"],
  ['testing-in-tests', 'wiring', "import '../platform/testing/database.ts'"],
  ['tests-not-imported', 'wiring', "import '../tests/all.test.ts'"],
  ['no-development-packages', 'rest-adapter', "import 'ajv'"],
  ['no-undeclared-packages', 'rest-adapter', "import 'semver'"],
  ['no-unresolved', 'rest-adapter', "import './nowhere.ts'"],
  ['no-dead-modules', 'gateway', 'export const dead = 1'],
]

type Violation = { rule: { name: string }; from: string }

describe('the import rules', () => {
  const root = dirname(import.meta.dirname)
  const tree = mkdtempSync(join(tmpdir(), 'import-rules-'))
  const cases = FORBIDDEN.map(([rule, folder, text], index) => ({
    rule,
    file: `${folder}/case-${index}.ts`,
    text,
  }))
  let violations: Violation[] = []

  beforeAll(() => {
    for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
      copyFileSync(join(root, file), join(tree, file))
    }
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction')
    writeIn(tree, 'rules.mjs', PRESERVING_SYMLINKS)
    for (const [file, text] of Object.entries(KEEPS_THE_RULES)) writeIn(tree, file, text)
    for (const { file, text } of cases) writeIn(tree, file, text)
    writeIn(tree, 'platform/cycle-a.ts', "import './cycle-b.ts'")
    writeIn(tree, 'platform/cycle-b.ts', "import './cycle-a.ts'")
    violations = cruise(tree, root)
  })

  afterAll(() => rmSync(tree, { recursive: true }))

  it.each(cases)('$rule: $file may not say $text', ({ rule, file }) => {
    expect(violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(
      rule,
    )
  })

  it('no-cycles: modules may not import each other', () => {
    expect(violations.filter(({ rule }) => rule.name === 'no-cycles').map(({ from }) => from)).toContain(
      'platform/cycle-a.ts',
    )
  })

  it('leave everything else alone', () => {
    expect(violations.filter(({ from }) => from in KEEPS_THE_RULES)).toEqual([])
  })
})

/** The tree borrows node_modules by a link, and the rules know packages by that path. */
const PRESERVING_SYMLINKS = `
  import rules from './.dependency-cruiser.mjs'
  export default { ...rules, options: { ...rules.options, preserveSymlinks: true } }`

function writeIn(tree: string, file: string, text: string): void {
  mkdirSync(dirname(join(tree, file)), { recursive: true })
  writeFileSync(join(tree, file), text)
}

function cruise(tree: string, root: string): Violation[] {
  const folders = ['platform', 'subgraphs', 'gateway', 'rest-adapter', 'wiring', 'schema', 'tests']
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [bin, '--config', 'rules.mjs', '--output-type', 'json', ...folders],
    { cwd: tree, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  if (stdout === '') throw new Error(`dependency-cruiser: ${stderr}`)
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations
}
