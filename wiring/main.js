// Where every process begins: `node wiring/main.js` is the whole platform, `main.js edge` and `main.js subgraph models` are
// parts of a split one, `main.js migrate` brings the database up to date. Plain JavaScript, because what strips types is
// loaded by the first TypeScript that the compile cache does not hold, and costs a start 0.2 s.
import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'

// Four threads do what a file asks of the disk, and names are looked up there too: four images on their way to the disk
// would keep everything else waiting. Read once, by the first who needs a thread.
process.env.UV_THREADPOOL_SIZE ??= '16'

// What sockets bring lies outside V8's heap. Unless told otherwise it marks all of the heap whenever 64 MB of that have gone by, however
// soon they are free again: a third of an upload's work. Counted as the heap is, they go with the young generation.
if (Number.parseInt(process.versions.v8, 10) >= 13)
  setFlagsFromString('--external-memory-accounted-in-global-limit')

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
