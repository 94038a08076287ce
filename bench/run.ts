import { availableParallelism } from 'node:os'
import { figures } from './figures/index.ts'
import { residentMegabytes } from './process-usage.ts'
import { figureTable } from './report.ts'
import { interleavedRounds } from './rounds.ts'
import { startUpstream } from './targets/direct.ts'
import { targets as startTargets } from './targets/index.ts'
import type { Target } from './targets/target.ts'

/**
 * `npm run bench`: the platform beside a bare Node proxy in front of the same mock upstream, as ratios within this one run.
 * Absolute figures say little: the load, the upstream and the target share this machine. `-- --quick` for a short run,
 * which errs by more.
 */
const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 5
const seconds = quick ? 1 : 2

const running: Target[] = []
try {
  await bench()
} finally {
  for (const target of running.reverse()) await target.stop()
}

async function bench(): Promise<void> {
  const upstream = await startUpstream()
  running.push(upstream)
  for (const start of startTargets) running.push(await start(upstream))
  const targets = running.slice(1)

  print(
    `Node ${process.version}, ${availableParallelism()} cores, ${rounds} rounds of ${seconds} s, ${new Date().toISOString()}`,
  )
  for (const { name, pid, readyMs } of targets)
    print(`  ${name}: ready in ${readyMs.toFixed(0)} ms, ${residentMegabytes(pid).toFixed(0)} MB resident`)

  for (const figure of figures) {
    const measured = figure.addedToDirect ? running.slice() : targets
    const samples = await interleavedRounds(figure, measured, rounds, { seconds, upstream })
    const [baseline] = measured
    if (baseline) print(figureTable(figure, samples, baseline))
  }
  for (const { name, pid } of targets)
    print(`  ${name}: ${residentMegabytes(pid).toFixed(0)} MB resident at the end`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
