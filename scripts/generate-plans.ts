import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DocumentNode, getOperationAST } from 'graphql'
import { type CommittedPlan, committedPlan } from '../gateway/index.ts'
import { openSupergraph } from '../gateway/supergraph.ts'

/**
 * Writes `schema/plans.json`: the plans of all operations that the platform itself sends, made by the planner that would
 * make them at run time. With `--check` only says whether it is up to date.
 */
const root = new URL('..', import.meta.url)
const file = new URL('schema/plans.json', root)
const supergraphSdl = readFileSync(new URL('schema/supergraph.graphql', root), 'utf8')
const { plan } = openSupergraph(supergraphSdl, false).trusted()

const plans: Record<string, CommittedPlan> = {}
for (const document of await ownDocuments()) {
  // fragments stand there too
  const name = getOperationAST(document)?.name?.value
  if (name === undefined) continue
  const committed = committedPlan(document, await plan(document, undefined))
  if (!committed) continue
  if (Object.hasOwn(plans, name) && plans[name]?.document !== committed.document)
    throw new Error(`two operations of the platform are called ${name}: plans are kept by their names`)
  plans[name] = committed
}
const sorted = Object.fromEntries(Object.entries(plans).sort(([a], [b]) => (a < b ? -1 : 1)))
const fresh = `${JSON.stringify(sorted, null, 2)}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== fresh) {
    process.stderr.write(
      'schema/plans.json is not what the planner makes of the operations: run npm run generate\n',
    )
    process.exit(1)
  }
} else {
  writeFileSync(file, fresh)
}

/** The typed documents as they are sent. */
async function ownDocuments(): Promise<DocumentNode[]> {
  const paths = globSync('{rest-adapter,wiring,subgraphs/*}/operations.generated.ts', {
    cwd: fileURLToPath(root),
  })
  const modules = await Promise.all(
    paths.map((path) => import(new URL(path.replaceAll('\\', '/'), root).href)),
  )
  return modules.flatMap((module: Record<string, DocumentNode>) => Object.values(module))
}
