import type { Column, Figure, Reach } from './figure.ts'
import type { Samples } from './rounds.ts'
import { type Spread, spread } from './statistics.ts'

/** A line of the closing summary: what one of ours had to reach and whether it did. */
export interface Verdict {
  readonly figure: string
  readonly contestant: string
  readonly column: string
  readonly reached: boolean
  readonly text: string
}

const heading = ['', '', 'median (min to max)', 'against', 'to reach']

/** A figure as a table: each contestant's median and, against the baseline, what the rounds gave as median (min to max). */
export function figureTable(figure: Figure, all: readonly Samples[]): string {
  const baseline = all.find(({ contestant }) => contestant.name === figure.baseline)
  const rows = figure.columns.flatMap((column, at) =>
    all
      .filter(({ rounds }) => rounds.length > 0)
      .map((samples) => {
        const { contestant } = samples
        const values = valuesOf(samples, at)
        const compared = comparison(column, values, baseline ? valuesOf(baseline, at) : [])
        const shown = compared && samples !== baseline ? comparedText(column, compared) : ''
        const goal = contestant.ours ? goalText(column, compared ?? spread(values)) : ''
        return [contestant.name, column.label, withSpread(spread(values), column.digits), shown, goal]
      }),
  )
  const failures = all
    .filter(({ failure }) => failure !== undefined)
    .map(({ contestant, failure }) => `\n  ${contestant.name} is missing: ${failure}`)
  const against = heading.map((cell) => (cell === 'against' ? `against ${figure.baseline}` : cell))
  return `\n${figure.title} (${figure.name})\n${aligned([against, ...rows])}${failures.join('')}\n`
}

/** What ours had to reach. */
export function verdicts(figure: Figure, all: readonly Samples[]): readonly Verdict[] {
  const baseline = all.find(({ contestant }) => contestant.name === figure.baseline)
  return all
    .filter(({ contestant, rounds }) => contestant.ours && rounds.length > 0)
    .flatMap((samples) =>
      figure.columns.flatMap((column, at) => {
        if (!column.reach) return []
        const values = valuesOf(samples, at)
        const judged = comparison(column, values, baseline ? valuesOf(baseline, at) : []) ?? spread(values)
        return [
          {
            figure: figure.name,
            contestant: samples.contestant.name,
            column: column.label,
            reached: isReached(column.reach, judged.median),
            text: comparedText(column, judged),
          },
        ]
      }),
    )
}

/** The verdicts as a table. */
export function summaryTable(all: readonly Verdict[]): string {
  const rows = all.map(({ figure, contestant, column, reached, text }) => [
    figure,
    contestant,
    column,
    text,
    reached ? 'reached' : 'NOT reached',
  ])
  return `\nWhat is to be reached\n${aligned([['figure', '', '', '', ''], ...rows])}\n`
}

function valuesOf({ rounds }: Samples, column: number): readonly number[] {
  return rounds.map((round) => round[column] ?? Number.NaN)
}

/** Each round's value set against the baseline's of the same round; null where nothing is compared. */
function comparison(
  { against }: Column,
  values: readonly number[],
  others: readonly number[],
): Spread | null {
  if (against === 'nothing') return null
  return spread(
    values.map((value, round) => {
      const other = others[round] ?? Number.NaN
      return against === 'ratio' ? value / other : value - other
    }),
  )
}

function comparedText({ against, digits }: Column, compared: Spread): string {
  if (against === 'ratio') return `${withSpread(compared, 2)} x`
  return withSpread(compared, digits) + (against === 'difference' ? ' more' : '')
}

function goalText({ reach, against }: Column, judged: Spread): string {
  if (!reach) return ''
  const [sense, limit] = 'atLeast' in reach ? ['at least', reach.atLeast] : ['at most', reach.atMost]
  const unit = { ratio: ' x', difference: ' more', nothing: '' }[against]
  return `${sense} ${limit}${unit}: ${isReached(reach, judged.median) ? 'reached' : 'NOT reached'}`
}

function isReached(reach: Reach, value: number): boolean {
  return 'atLeast' in reach ? value >= reach.atLeast : value <= reach.atMost
}

function withSpread({ min, median, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows
    .map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}
