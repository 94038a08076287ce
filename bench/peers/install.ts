import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../child-process.ts'

/** A system that the platform is compared with: a folder here with its own lock file. */
export type PeerName = 'portkey' | 'hive'

/**
 * The folder in which a peer is installed exactly as its lock file says. The first run installs it, below the ignored
 * `.bench/`: no part of the platform depends on it.
 * @throws Error with npm's words when it can't be installed
 */
export async function installedPeer(name: PeerName): Promise<string> {
  const folder = join(root, '.bench', 'peers', name)
  const lock = await readFile(join(import.meta.dirname, name, 'package-lock.json'), 'utf8')
  if (await isInstalled(folder, lock)) return folder
  await mkdir(folder, { recursive: true })
  for (const file of ['package.json', 'package-lock.json'])
    await copyFile(join(import.meta.dirname, name, file), join(folder, file))
  process.stdout.write(`Installing ${name} (once) ...\n`)
  await npmCi(folder)
  await writeFile(stampOf(folder), lock)
  return folder
}

/** Left behind by an installation that came to its end. */
const stampOf = (folder: string) => join(folder, 'node_modules', '.installed-lock.json')

async function isInstalled(folder: string, lock: string): Promise<boolean> {
  return existsSync(stampOf(folder)) && (await readFile(stampOf(folder), 'utf8')) === lock
}

async function npmCi(folder: string): Promise<void> {
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  npm.stderr.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const [code] = await once(npm, 'close')
  if (code !== 0) throw new Error(`npm ci failed: ${output.trim().slice(0, 500)}`)
}
