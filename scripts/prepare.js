// Run by npm before `start`, `dev`, `test`, `check` and `bench`: makes one command enough on a fresh clone.
// Plain JavaScript without dependencies, because it runs on the machine's own Node (20 or newer) before anything is
// installed. Of the environment it reads only npm's own variables: which npm and which Node started it.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPackages, requiredPackages } from './installed-packages.js'
import { checkNode } from './node-version.js'
import { npmCi } from './npm-ci.js'
import { PrepareError } from './prepare-error.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const stampFile = join(modules, '.prepared.json')
const mode = process.argv.includes('--dev') ? 'dev' : 'production'

try {
  await prepare()
} catch (error) {
  const expected = error instanceof PrepareError
  console.error(
    `\n${expected ? error.message : `Preparing node_modules failed: ${error?.message ?? error}`}\n`,
  )
  process.exitCode = 1
}

async function prepare() {
  const lockText = readLock()
  const lockHash = createHash('sha256').update(lockText).digest('hex')
  const stamp = readStamp()
  if (stamp?.lock === lockHash && covers(stamp.mode)) {
    checkNode(modules, stamp.bundledNode)
    return
  }
  await install(JSON.parse(lockText))
  removeUnusedFiles()
  const bundledNode = checkNode(modules)
  writeFileSync(
    stampFile,
    `${JSON.stringify({ lock: lockHash, mode: installedMode(lockText), bundledNode })}\n`,
  )
}

/** A development install serves `npm start` too: nothing is removed from it. */
function covers(installed) {
  return installed === 'dev' || installed === mode
}

function installedMode(lockText) {
  return missingPackages(root, requiredPackages(JSON.parse(lockText), 'dev')).length === 0 ? 'dev' : mode
}

async function install(lock) {
  const required = requiredPackages(lock, mode)
  if (missingPackages(root, required).length === 0) return
  await npmCi({ root, mode, packages: required })
  const missing = missingPackages(root, required)
  if (missing.length === 0) return
  throw new PrepareError(
    `npm left out ${missing[0]}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}: check that the package registry is reachable, then run the command again.`,
  )
}

/** What compiling against Node needs and running it does not: 67 MB of headers in each bundled Node. */
function removeUnusedFiles() {
  for (const name of readdirSync(modules)) {
    if (!/^node-(linux|win|darwin)-/.test(name)) continue
    for (const folder of ['include', 'share'])
      rmSync(join(modules, name, folder), { recursive: true, force: true })
  }
}

function readLock() {
  try {
    return readFileSync(join(root, 'package-lock.json'), 'utf8')
  } catch {
    // Without the lock file there is nothing to install exactly; the clone itself is broken.
    throw new PrepareError(
      `package-lock.json is missing from ${root}: restore it with git checkout package-lock.json.`,
    )
  }
}

function readStamp() {
  if (!existsSync(stampFile)) return undefined
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    // A half-written stamp says nothing; the full comparison below decides instead.
    return undefined
  }
}
