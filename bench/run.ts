import { separateCores } from './child-process.ts'
import { coreCount } from './cores.ts'
import type { Figure } from './figure.ts'
import { figures } from './figures/index.ts'
import { createLineup } from './lineup.ts'
import { figureTable, summaryTable, type Verdict, verdicts } from './report.ts'
import { interleavedRounds } from './rounds.ts'

/**
 * `npm run bench`: the platform beside a bare Node proxy and beside other gateways, in front of the same mock upstream, as
 * ratios within this one run. `npm run bench -- NAME ...` measures only what is named; `--quick` is a short run, which
 * errs by more.
 */
const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 5
const seconds = quick ? 1 : 2
const warmUpSeconds = quick ? 1 : 12

const lineup = createLineup(print)
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void lineup.stop().finally(() => process.exit(1)))
try {
  await bench(chosenFigures())
} finally {
  await lineup.stop()
}

function chosenFigures(): readonly Figure[] {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  if (names.length === 0) return figures.filter(({ long }) => !long)
  return names.map((name) => {
    const figure = figures.find((known) => known.name === name)
    if (figure) return figure
    throw new Error(`There is no figure ${name}; there are ${figures.map((known) => known.name).join(', ')}.`)
  })
}

async function bench(chosen: readonly Figure[]): Promise<void> {
  const cores = separateCores ? 'servers on a core of their own' : 'cores not told apart'
  print(
    `Node ${process.version}, ${coreCount} cores, ${cores}, ${rounds} rounds of ${seconds} s, ${new Date().toISOString()}`,
  )
  const upstream = await lineup.target('direct')
  const all: Verdict[] = []
  for (const figure of chosen) {
    const samples = await interleavedRounds(figure, lineup, rounds, {
      seconds,
      warmUpSeconds,
      upstream,
      quick,
    })
    print(figureTable(figure, samples))
    all.push(...verdicts(figure, samples))
  }
  print(summaryTable(all))
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
