import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type GeneratedFile, operationFolders, operationTypes, resolverTypes } from './codegen.ts'
import {
  composeSupergraph,
  findFiles,
  fullSchema,
  printApiSchema,
  readSubgraphs,
  SchemaError,
  type SubgraphDefinition,
  wholeSdl,
} from './compose.ts'

/** What follows from the `.graphql` files: whole texts in a stable order, and a message for each folder that is wrong. */
type Generated = { files: GeneratedFile[]; faults: string[] }

/** @throws SchemaError when there is no supergraph: nothing can be generated then */
async function generate(root: string): Promise<Generated> {
  const subgraphs = readSubgraphs(root)
  const supergraph = composeSupergraph(subgraphs)
  const schema = fullSchema(supergraph)
  const outcomes = await Promise.allSettled([
    ...subgraphs.map((subgraph) => resolverTypes(root, subgraph)),
    ...subgraphs.map(async (subgraph) => executableSdl(subgraph)),
    ...operationFolders(root).map((folder) => operationTypes(root, folder, schema)),
  ])
  const files = [
    { path: 'schema/supergraph.graphql', content: supergraph },
    { path: 'schema/api.graphql', content: printApiSchema(supergraph) },
    ...outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
  ]
  const faults = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [message(outcome.reason)] : [],
  )
  return { files, faults }
}

/** `subgraphs/<x>/schema.generated.graphql`: what its process makes its schema of. */
function executableSdl(subgraph: SubgraphDefinition): GeneratedFile {
  return { path: `${subgraph.folder}/schema.generated.graphql`, content: wholeSdl(subgraph) }
}

/** A fault of ours is not the schema's: it is thrown on with its stack. */
function message(error: unknown): string {
  if (error instanceof SchemaError) return error.message
  throw error
}

/** Paths whose text on disk is another. */
function outdated(root: string, files: GeneratedFile[]): string[] {
  const stale = files.filter(({ path, content }) => {
    const file = join(root, path)
    return !existsSync(file) || readFileSync(file, 'utf8') !== content
  })
  return stale.map(({ path }) => path)
}

/** Generated files that nothing generates any more. */
function orphans(root: string, files: GeneratedFile[]): string[] {
  const known = new Set(files.map(({ path }) => path))
  const onDisk = findFiles(root, '{rest-adapter,wiring,tests,subgraphs/*}/*.generated.{ts,graphql}')
  return onDisk.filter((path) => !known.has(path))
}

/** What is right is written even where another folder is wrong, so that one fault does not stop work elsewhere. */
function write(root: string, { files, faults }: Generated): void {
  const stale = new Set(outdated(root, files))
  for (const { path, content } of files) {
    if (stale.has(path)) writeFileSync(join(root, path), content)
  }
  const removed = faults.length === 0 ? orphans(root, files) : []
  for (const path of removed) rmSync(join(root, path))
  const report = [...stale, ...removed.map((path) => `${path} (removed)`)]
  console.log(report.length === 0 ? 'Nothing to generate.' : report.join('\n'))
}

function check(root: string, { files, faults }: Generated): void {
  const drift = [...outdated(root, files), ...(faults.length === 0 ? orphans(root, files) : [])]
  if (drift.length > 0) fail(`Out of date, run \`npm run generate\`:\n${drift.join('\n')}`)
}

function fail(text: string): void {
  console.error(text)
  process.exitCode = 1
}

const { values } = parseArgs({ options: { check: { type: 'boolean' }, root: { type: 'string' } } })
const root = resolve(values.root ?? dirname(import.meta.dirname))
try {
  const generated = await generate(root)
  if (values.check) check(root, generated)
  else write(root, generated)
  if (generated.faults.length > 0) fail(generated.faults.join('\n'))
} catch (error) {
  fail(message(error))
}
