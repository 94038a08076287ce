import type { Parameters } from 'fast-check'

/**
 * The same requests in every run, so that a red build means a change. Look for more with another seed:
 * `FUZZ_SEED=7 FUZZ_RUNS=500` before the command that runs the test.
 */
export function fuzzRuns<Values>(usualRuns: number): Parameters<Values> {
  return {
    seed: Number(process.env.FUZZ_SEED ?? 1),
    numRuns: Number(process.env.FUZZ_RUNS ?? usualRuns),
  }
}
