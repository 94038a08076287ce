// Where every process begins: `node wiring/main.js` is the whole platform, `main.js edge` and `main.js subgraph models` are
// parts of a split one, `main.js migrate` brings the database up to date. Plain JavaScript, because what strips types is
// loaded by the first TypeScript that the compile cache does not hold, and costs a start 0.2 s.
import { enableCompileCache } from 'node:module'

// Four threads do what a file asks of the disk, and names are looked up there too: four images on their way to the disk
// would keep everything else waiting. Read once, by the first who needs a thread.
process.env.UV_THREADPOOL_SIZE ??= '16'

const programs = {
  start: './start.ts',
  edge: './edge.ts',
  subgraph: './subgraph.ts',
  migrate: './migrate.ts',
}
const name = process.argv[2] ?? 'start'

if (Object.hasOwn(programs, name)) {
  enableCompileCache()
  await import(programs[name])
} else {
  process.stderr.write(`\nName the program to run, one of: ${Object.keys(programs).join(', ')}.\n\n`)
  process.exitCode = 1
}
