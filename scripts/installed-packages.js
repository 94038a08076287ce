import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The packages of a parsed package-lock.json that this machine must have in a mode, as `{ path, version, integrity }`.
 * An optional package counts only where it names this operating system and processor: the platform's binaries.
 */
export function requiredPackages(lock, mode) {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && !(mode === 'production' && entry.dev) && isRequired(entry))
    .map(([path, { version, integrity }]) => ({ path, version, integrity }))
}

/** The paths of the required packages that node_modules, by npm's own record of it, holds not at all or otherwise. */
export function missingPackages(root, required) {
  const record = installedRecord(root)
  return required
    .filter(({ path, version, integrity }) => {
      const installed = record[path]
      return installed?.version !== version || installed?.integrity !== integrity || !isOnDisk(root, path)
    })
    .map(({ path }) => path.replace(/^node_modules\//, ''))
}

/** True once npm has unpacked the package at this path. */
export function isOnDisk(root, path) {
  return existsSync(join(root, path, 'package.json'))
}

function isRequired(entry) {
  if (!entry.optional && !entry.devOptional) return true
  // Which C library this is cannot be told cheaply; npm decides about packages that ask for one.
  if (entry.libc || !entry.os || !entry.cpu) return false
  return entry.os.includes(process.platform) && entry.cpu.includes(process.arch)
}

/** npm writes this file as the last step of an install, so an interrupted one leaves none. */
function installedRecord(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages ?? {}
  } catch {
    // Not installed, or the install was interrupted: everything is missing.
    return {}
  }
}
