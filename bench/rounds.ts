import type { Figure, Round } from './figure.ts'
import type { Target } from './targets/target.ts'

/** A target's samples of a figure: a row of column values for each round. */
export type Samples = ReadonlyMap<Target, readonly (readonly number[])[]>

/**
 * Measures the targets in turn, round by round, so that whatever else this machine does hits all of them alike. One round
 * before the first warms each up and is not counted.
 */
export async function interleavedRounds(
  figure: Figure,
  targets: readonly Target[],
  rounds: number,
  round: Round,
): Promise<Samples> {
  const samples = new Map<Target, (readonly number[])[]>(targets.map((target) => [target, []]))
  for (const target of targets) await figure.sample(target, { ...round, seconds: Math.min(1, round.seconds) })
  for (let at = 0; at < rounds; at++) {
    for (const target of targets) samples.get(target)?.push(await figure.sample(target, round))
  }
  return samples
}
