import type { Column, Figure } from './figure.ts'
import type { Samples } from './rounds.ts'
import { type Spread, spread } from './statistics.ts'
import type { Target } from './targets/target.ts'

/** A figure as a table: each target's median and, against the baseline, what the rounds gave as median (min to max). */
export function figureTable(figure: Figure, samples: Samples, baseline: Target): string {
  const rows = figure.columns.flatMap((column, at) =>
    [...samples].map(([target, rounds]) => {
      const values = rounds.map((round) => round[at] ?? Number.NaN)
      const others = (samples.get(baseline) ?? []).map((round) => round[at] ?? Number.NaN)
      const compared = target === baseline ? '' : comparison(column, values, others)
      return [target.name, column.label, withSpread(spread(values), column.digits), compared]
    }),
  )
  const heading = ['', '', 'median (min to max)', `against ${baseline.name}`]
  return `\n${figure.title}\n${aligned([heading, ...rows])}\n`
}

function comparison(
  { against, digits }: Column,
  values: readonly number[],
  others: readonly number[],
): string {
  if (against === 'nothing') return ''
  const each = values.map((value, round) => {
    const other = others[round] ?? Number.NaN
    return against === 'ratio' ? value / other : value - other
  })
  const text = withSpread(spread(each), against === 'ratio' ? 2 : digits)
  return against === 'ratio' ? `${text} x` : `${text} more`
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
