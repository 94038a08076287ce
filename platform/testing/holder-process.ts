// A process of its own for the tests: starts the database of a folder, takes the lock, says so, and waits to be killed.
import { acquireInstanceLock } from '../embedded/instance-lock.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'

const [dataDir = '', port = '0'] = process.argv.slice(2)
const database = await startEmbeddedPostgres({ dataDir })
await acquireInstanceLock({ databaseUrl: database.url, port: Number(port) })
process.stdout.write(`${JSON.stringify({ ...database, stop: undefined })}\n`)
setInterval(() => {
  // Keeps the process alive; the detached database does not.
}, 60_000)
