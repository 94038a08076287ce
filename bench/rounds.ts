import type { Contestant, Figure, Round } from './figure.ts'
import type { Lineup } from './lineup.ts'
import type { Target } from './targets/target.ts'

/** What the rounds gave for one contestant. */
export interface Samples {
  readonly contestant: Contestant
  /** A row of column values for each round. */
  readonly rounds: readonly (readonly number[])[]
  /** Why there are no more of them. */
  readonly failure?: string
}

/**
 * Measures the contestants in turn, round by round, so that whatever else this machine does hits all of them alike. Before
 * the first round each is warmed up, which is not counted: V8 goes on compiling what a server runs for tens of seconds, and servers run
 * for days. One that fails drops out, and the others go on.
 */
export async function interleavedRounds(
  figure: Figure,
  lineup: Lineup,
  count: number,
  round: Round,
): Promise<readonly Samples[]> {
  const entries: Entry[] = figure.contestants.map((contestant) => ({ contestant, rounds: [] }))
  await eachInTurn(entries, async (entry) => {
    entry.target = await lineup.target(entry.contestant.target)
  })
  if (!figure.once && !figure.long)
    await eachInTurn(entries, async ({ contestant, target }) => {
      if (target) await contestant.sample(target, { ...round, seconds: round.warmUpSeconds })
    })
  for (let at = 0; at < (figure.once || figure.long ? 1 : count); at++) {
    await eachInTurn(entries, async ({ contestant, target, rounds }) => {
      if (target) rounds.push(await contestant.sample(target, round))
    })
  }
  return entries
}

interface Entry extends Samples {
  readonly rounds: (readonly number[])[]
  target?: Target
  failure?: string
}

async function eachInTurn(entries: readonly Entry[], work: (entry: Entry) => Promise<void>): Promise<void> {
  for (const entry of entries) {
    if (entry.failure !== undefined) continue
    await work(entry).catch((error: unknown) => {
      entry.failure = error instanceof Error ? error.message : String(error)
    })
  }
}
