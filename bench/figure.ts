import type { TargetName } from './targets/index.ts'
import type { Target } from './targets/target.ts'

/** One thing that is measured, for every contestant in turn. */
export interface Figure {
  /** What it is run by: `npm run bench -- NAME`. */
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly contestants: readonly Contestant[]
  /** The contestant that the others are set against. */
  readonly baseline: string
  /** Measured in one round without a warm-up: it is about what the first time costs. */
  readonly once?: boolean
  /** Takes minutes: it runs only when it is named, and once. */
  readonly long?: boolean
}

/** One way to do what is measured. */
export interface Contestant {
  /** Short: it stands in every row of the table. */
  readonly name: string
  /** The program that is asked; it runs while any figure needs it. */
  readonly target: TargetName
  /** Whether it is ours, and has to reach what the column asks for. */
  readonly ours?: boolean
  /** One round: a value for each column. */
  sample(target: Target, round: Round): Promise<readonly number[]>
}

export interface Column {
  readonly label: string
  readonly digits: number
  /** How a value is set against the baseline's of the same round. */
  readonly against: 'ratio' | 'difference' | 'nothing'
  /** The goal of what is ours: of the median of the comparison, or of the value where nothing is compared. */
  readonly reach?: Reach
}

export type Reach = { readonly atLeast: number } | { readonly atMost: number }

export interface Round {
  /** How long a round loads its target. */
  readonly seconds: number
  /** For how long each target is loaded before the first round. */
  readonly warmUpSeconds: number
  /** The mock upstream, asked how many clients it saw leave. */
  readonly upstream: Target
  /** A short run, which need not be exact. */
  readonly quick: boolean
}
