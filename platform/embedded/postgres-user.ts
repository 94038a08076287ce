import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { chmodSync, lchownSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/**
 * PostgreSQL refuses to run as root. Where we are root it runs
 * - as another user (`switched`), who must be able to reach the binaries and the data folder; or
 * - in a user namespace (`namespace`), where the same root looks like an ordinary user: for folders below a closed one such
 *   as /root, which no other user can reach.
 */
export type PostgresUser =
  | { kind: 'same' }
  | { kind: 'switched'; uid: number; gid: number }
  | { kind: 'namespace'; uid: number; gid: number }

interface Places {
  dataDir: string
  cluster: string
  binaries: string
}

/** @throws EmbeddedPostgresError when PostgreSQL can run as nobody here */
export function choosePostgresUser({ dataDir, cluster, binaries }: Places): PostgresUser {
  if (process.getuid?.() !== 0) return checkOwner(cluster)
  const user = ordinaryOwner(cluster) ?? named(ordinaryOwner(dataDir)) ?? systemUser()
  const places = [dirname(dataDir), join(binaries, 'lib')]
  if (user && places.every((place) => canReach(user, place)) && canSwitchTo(user)) {
    return { kind: 'switched', uid: user.uid, gid: user.gid }
  }
  if (namespacesWork()) return { kind: 'namespace', ...inNamespace() }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and no other user can reach both ${dataDir} and ${binaries}: start as an ordinary user, or move the project (and JAN_DATA_DIR) out of folders that only root may open.`,
  )
}

/** `spawn` as that user. The environment is ours alone: nothing of the caller's may change how PostgreSQL behaves. */
export function spawnAs(
  user: PostgresUser,
  file: string,
  args: string[],
  options: Pick<SpawnOptions, 'cwd' | 'stdio' | 'detached'>,
): ChildProcess {
  const env =
    process.platform === 'win32' ? {} : { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }
  if (user.kind === 'namespace')
    return spawn('unshare', [...namespaceFlags(user), file, ...args], { ...options, env })
  const identity = user.kind === 'switched' ? { uid: user.uid, gid: user.gid } : {}
  return spawn(file, args, { ...options, ...identity, env })
}

/** Makes a file or a folder with all that is in it that user's own, where it is not yet. */
export function giveTo(user: PostgresUser, path: string): void {
  if (user.kind === 'same') return
  // In the namespace the ordinary user is root under another name.
  const { uid, gid } = user.kind === 'switched' ? user : { uid: 0, gid: 0 }
  const stats = statSync(path)
  if (stats.uid === uid) return
  lchownSync(path, uid, gid)
  if (!stats.isDirectory()) return
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(path, name), uid, gid)
}

/** Lets the group of a switched user pass through our folder, to its own folder in it, without listing ours. */
export function letThrough(user: PostgresUser, folder: string): void {
  if (user.kind !== 'switched' || allows(statSync(folder), user, 1)) return
  lchownSync(folder, statSync(folder).uid, user.gid)
  chmodSync(folder, (statSync(folder).mode & 0o7707) | 0o010)
}

function checkOwner(cluster: string): PostgresUser {
  const owner = stats(cluster)?.uid
  if (owner === undefined || process.getuid === undefined || owner === process.getuid())
    return { kind: 'same' }
  throw new EmbeddedPostgresError(
    `${cluster} belongs to another user (uid ${owner}): start as that user, give it to yours with chown -R, or set JAN_DATA_DIR to another folder.`,
  )
}

/** Who owns a folder, unless that is root: a folder once used by somebody stays theirs. */
function ordinaryOwner(path: string): { uid: number; gid: number } | undefined {
  const owner = stats(path)
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : undefined
}

/** initdb refuses a user without a name. */
function named(user: { uid: number; gid: number } | undefined): { uid: number; gid: number } | undefined {
  return user && namedUsers().some(({ uid }) => uid === user.uid) ? user : undefined
}

/** The system's own postgres user, else nobody. */
function systemUser(): { uid: number; gid: number } | undefined {
  const users = namedUsers()
  return users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody')
}

function namedUsers(): { name: string; uid: number; gid: number }[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
}

function inNamespace(): { uid: number; gid: number } {
  return systemUser() ?? { uid: 1000, gid: 1000 }
}

function namespaceFlags({ uid, gid }: { uid: number; gid: number }): string[] {
  return ['--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
}

/** A container's root may hold no right over other users; only trying tells. */
function canSwitchTo({ uid, gid }: { uid: number; gid: number }): boolean {
  return spawnSync('true', { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0
}

/** Containers often forbid user namespaces; only trying tells. */
function namespacesWork(): boolean {
  return spawnSync('unshare', [...namespaceFlags(inNamespace()), 'true'], { stdio: 'ignore' }).status === 0
}

/** Whether the user may pass every folder on the way to `path` and read `path` itself. */
function canReach(user: { uid: number; gid: number }, path: string): boolean {
  const target = stats(path)
  if (!target || !allows(target, user, 1)) return false
  return dirname(path) === path || canReach(user, dirname(path))
}

function allows(target: Stats, user: { uid: number; gid: number }, bit: 1 | 4): boolean {
  const shift = target.uid === user.uid ? 6 : target.gid === user.gid ? 3 : 0
  return ((target.mode >> shift) & bit) !== 0
}

function stats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
