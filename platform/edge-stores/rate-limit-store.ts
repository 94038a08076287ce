/** How much may be drawn under one key in one span of time, which begins with the first draw. */
export interface RateWindow {
  /** Tells windows of the same key apart: `post /v1/conversations`. */
  readonly name: string
  readonly points: number
  readonly seconds: number
}

/** What a draw found. */
export interface RateDraw {
  readonly allowed: boolean
  readonly remaining: number
  /** Unix milliseconds of when all of the window's points are there again. */
  readonly resetsAt: number
}

/** Counts what callers draw: in one process, or across all of them. */
export interface RateLimitStore {
  /**
   * Draws `cost` points of `window` for `key`; where fewer are left, none. Two draws at once never share a point: while one of
   * them is refused, the other may find less than there is. A store that can't be reached lets this process count by itself.
   */
  draw(window: RateWindow, key: string, cost: number): Promise<RateDraw>
  /** Gives back what `draw` has taken. */
  giveBack(window: RateWindow, key: string, cost: number, draw: RateDraw): Promise<void>
}
