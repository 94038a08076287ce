import type { Target } from './targets/target.ts'

/** One thing that is measured, for every target in turn. */
export interface Figure {
  readonly title: string
  readonly columns: readonly Column[]
  /** Measures the direct way to the upstream too, and makes it the baseline in place of the bare proxy. */
  readonly addedToDirect?: boolean
  /** One round: a value for each column. */
  sample(target: Target, round: Round): Promise<readonly number[]>
}

export interface Column {
  readonly label: string
  readonly digits: number
  /** How the platform's value is set against the baseline's of the same round. */
  readonly against: 'ratio' | 'difference' | 'nothing'
}

export interface Round {
  /** How long a round loads its target. */
  readonly seconds: number
  /** The mock upstream, asked how many clients it saw leave. */
  readonly upstream: Target
}
