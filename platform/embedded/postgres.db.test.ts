import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { crash, startHolder } from '../testing/holder.ts'
import { type EmbeddedPostgres, EmbeddedPostgresError, startEmbeddedPostgres } from './postgres.ts'
import { isAlive, readPostmaster } from './postmaster.ts'

const asRoot = process.getuid?.() === 0 ? it : it.skip

let folder: string
let dataDir: string
let database: EmbeddedPostgres
const progress: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jan-postgres-'))
  await chmod(folder, 0o755)
  dataDir = join(folder, 'data')
  database = await startEmbeddedPostgres({ dataDir, onProgress: (message) => progress.push(message) })
})

afterAll(async () => {
  await database.stop()
  await rm(folder, { recursive: true, force: true })
})

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function killServer(): Promise<void> {
  process.kill(database.pid, 'SIGKILL')
  while (isAlive(database.pid)) await sleep(5)
}

describe('the first start', () => {
  it('makes a database in UTF-8 and UTC that writes through to the disk', async () => {
    expect(database).toMatchObject({ firstStart: true, adopted: false })
    expect(progress).toEqual(['Creating the database (once)'])
    const [row] = await query(
      database.url,
      `select current_database() as name, current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone,
              current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, lower('ÄÖÉ') as folded`,
    )
    expect(row).toEqual({
      name: 'jan',
      encoding: 'UTF8',
      zone: 'UTC',
      fsync: 'on',
      commit: 'on',
      folded: 'äöé',
    })
  })

  it('listens on 127.0.0.1 and nowhere else, and on no socket', async () => {
    const [row] = await query(
      database.url,
      `select current_setting('listen_addresses') as tcp, current_setting('unix_socket_directories') as sockets`,
    )
    expect(row).toEqual({ tcp: '127.0.0.1', sockets: '' })
    const elsewhere = connect(database.port, '127.0.0.2')
    await expect(once(elsewhere, 'connect')).rejects.toThrow('ECONNREFUSED')
  })

  it('refuses a wrong password, and keeps the right one in a file that others cannot read', async () => {
    const url = new URL(database.url)
    url.password = 'wrong'
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600)
    expect((await stat(dataDir)).mode & 0o007).toBe(0)
  })

  it('leaves nothing half built beside the cluster', async () => {
    expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log', 'postgres.password'])
  })

  it('may be tried by two processes at once after a third one died at it: both get the same server', async () => {
    const other = join(folder, 'raced')
    await mkdir(join(other, 'postgres.building-x', 'base'), { recursive: true })
    const [a, b] = await Promise.all([
      startEmbeddedPostgres({ dataDir: other }),
      startEmbeddedPostgres({ dataDir: other }),
    ])
    expect(a.url).toBe(b.url)
    expect([a.adopted, b.adopted].sort()).toEqual([false, true])
    await a.stop()
    await b.stop()
    expect(isAlive(a.pid)).toBe(false)
  })

  asRoot('works below a folder that only root may open, or says what to do', async () => {
    const closed = join(folder, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const outcome = await startEmbeddedPostgres({ dataDir: join(closed, 'data') }).catch(
      (error: unknown) => error,
    )
    if (outcome instanceof EmbeddedPostgresError) {
      expect(outcome.message).toMatch(/start as an ordinary user/)
      return
    }
    const opened = outcome as EmbeddedPostgres
    expect(await query(opened.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect((await stat(closed)).mode & 0o777).toBe(0o700)
    await opened.stop()
  })
})

describe('later starts', () => {
  it('keep the data after a stop, with the same password', async () => {
    await query(database.url, 'create table kept (n int); insert into kept values (1)')
    await database.stop()
    expect(isAlive(database.pid)).toBe(false)
    const { password } = new URL(database.url)
    database = await startEmbeddedPostgres({ dataDir })
    expect(database).toMatchObject({ firstStart: false, adopted: false })
    expect(new URL(database.url).password).toBe(password)
    expect(await query(database.url, 'select n from kept')).toEqual([{ n: 1 }])
  })

  it('recover what was committed when the server was killed', async () => {
    await query(database.url, 'insert into kept values (2)')
    await killServer()
    database = await startEmbeddedPostgres({ dataDir })
    expect(await query(database.url, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }])
  })

  it('are not kept back by a pid file whose pid another program got', async () => {
    await killServer()
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
    const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n')
    await writeFile(pidFile, [process.pid, ...rest].join('\n'))
    database = await startEmbeddedPostgres({ dataDir })
    expect(await query(database.url, 'select count(*)::int as n from kept')).toEqual([{ n: 2 }])
  })

  it('make a new password when its file was lost', async () => {
    await database.stop()
    await rm(join(dataDir, 'postgres.password'))
    database = await startEmbeddedPostgres({ dataDir })
    expect(await query(database.url, 'select count(*)::int as n from kept')).toEqual([{ n: 2 }])
  })

  it('adopt the server of a process that was killed, and can stop it', async () => {
    await database.stop()
    const holder = await startHolder(dataDir, 8000)
    await crash(holder.process)
    expect(isAlive(holder.database.pid)).toBe(true)
    const adopted = await startEmbeddedPostgres({ dataDir })
    expect(adopted).toMatchObject({
      adopted: true,
      firstStart: false,
      pid: holder.database.pid,
      url: holder.database.url,
    })
    expect(await query(adopted.url, 'select count(*)::int as n from kept')).toEqual([{ n: 2 }])
    await adopted.stop()
    expect(isAlive(holder.database.pid)).toBe(false)
    database = await startEmbeddedPostgres({ dataDir })
  })

  it('wait for a server that is just stopping and then start their own', async () => {
    // A session in use makes the shutdown take a moment.
    const session = new pg.Client({ connectionString: database.url })
    session.on('error', () => {
      // Ended by the shutdown.
    })
    await session.connect()
    const stopping = database.stop()
    while (readPostmaster(join(dataDir, 'postgres'))?.status === 'ready') await setImmediate()
    database = await startEmbeddedPostgres({ dataDir })
    await stopping
    expect(database.adopted).toBe(false)
    expect(await query(database.url, 'select count(*)::int as n from kept')).toEqual([{ n: 2 }])
  })
})

describe('a start that cannot succeed', () => {
  async function failure(dataDir: string): Promise<string> {
    const error = await startEmbeddedPostgres({ dataDir }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(EmbeddedPostgresError)
    return (error as Error).message
  }

  it('names the data folder that cannot be made', async () => {
    await writeFile(join(folder, 'file'), '')
    expect(await failure(join(folder, 'file', 'data'))).toMatch(
      /^The data folder .*file\/data cannot be written: .* JAN_DATA_DIR/,
    )
  })

  it('leaves a folder alone that is no database', async () => {
    const other = join(folder, 'photos')
    await mkdir(join(other, 'postgres'), { recursive: true })
    await writeFile(join(other, 'postgres', 'holiday.jpg'), '')
    expect(await failure(other)).toMatch(/is not a PostgreSQL data folder: move it away/)
    expect(await readdir(join(other, 'postgres'))).toEqual(['holiday.jpg'])
  })

  it('tells the version of a database that it cannot open', async () => {
    const other = join(folder, 'old')
    await mkdir(join(other, 'postgres'), { recursive: true })
    await writeFile(join(other, 'postgres', 'PG_VERSION'), '15\n')
    expect(await failure(other)).toMatch(/was made by PostgreSQL 15, but this is PostgreSQL 18/)
  })

  it('quotes what PostgreSQL says about a damaged database', async () => {
    const other = join(folder, 'damaged')
    const healthy = await startEmbeddedPostgres({ dataDir: other })
    await healthy.stop()
    await rm(join(other, 'postgres', 'global', 'pg_control'))
    expect(await failure(other)).toMatch(/could not find the database system|pg_control/)
  })
})
