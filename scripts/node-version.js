import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError } from './prepare-error.js'

const MINIMUM = [22, 18]

/**
 * Checks that the Node which npm scripts find is new enough to run TypeScript as it is: the bundled one in
 * node_modules/.bin where the platform has such a package, else the machine's.
 * @param known the answer of an earlier check of the same install; spares starting the bundled Node again
 * @returns whether the bundled Node is used
 * @throws PrepareError when neither is
 */
export function checkNode(modules, known) {
  const bundled = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  if (existsSync(bundled) && (known === true || isUsable(bundled))) return true
  // One that cannot run here (no glibc) must not stand in front of the machine's own in the PATH of npm scripts.
  for (const name of ['node', 'node.cmd', 'node.ps1']) rmSync(join(modules, '.bin', name), { force: true })
  if (isRecent(process.version)) return false
  throw new PrepareError(
    `Node ${process.version.slice(1)} is too old and there is no bundled Node for ${process.platform} ${process.arch}: install Node ${MINIMUM.join('.')} or newer (https://nodejs.org), then run the command again.`,
  )
}

function isUsable(bundled) {
  try {
    const options = {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    }
    return isRecent(
      execFileSync(process.platform === 'win32' ? `"${bundled}"` : bundled, ['--version'], options),
    )
  } catch {
    // It does not start on this machine; the machine's own Node is tried instead.
    return false
  }
}

function isRecent(version) {
  const [major, minor] = version.trim().slice(1).split('.').map(Number)
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
}
