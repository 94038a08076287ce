/** How long links may last, in seconds. */
export interface Lifetimes {
  readonly least: number
  readonly most: number
  readonly usual: number
}

/** What was asked for, or the nearest that is allowed. */
export function withinSeconds(asked: number | null | undefined, { least, most, usual }: Lifetimes): number {
  return Math.min(most, Math.max(least, Math.floor(asked ?? usual)))
}
