import { describe, expect, it } from '@jest/globals'
import { retryAfterMs } from './retry-after.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

describe('Retry-After', () => {
  it('is read as seconds, as a date, and as the milliseconds that OpenAI sends', () => {
    expect(retryAfterMs({ 'retry-after': '7' })).toBe(7_000)
    expect(retryAfterMs({ 'retry-after': 'Sun, 01 Mar 2026 12:00:30 GMT' }, now)).toBe(30_000)
    expect(retryAfterMs({ 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' }, now)).toBe(0)
    expect(retryAfterMs({ 'retry-after-ms': '250', 'retry-after': '1' })).toBe(250)
  })

  it('is nothing where it is missing or makes no sense', () => {
    for (const header of [undefined, '', 'soon', '-3', '1e9', ['1', '2']])
      expect(retryAfterMs({ 'retry-after': header })).toBeNull()
  })
})
