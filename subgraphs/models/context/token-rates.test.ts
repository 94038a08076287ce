import { describe, expect, it } from '@jest/globals'
import { TokenRates } from './token-rates.ts'

describe('the tokens per byte of a model', () => {
  it('are a quarter before anybody has counted', () => {
    expect(new TokenRates().of('m')).toBe(0.25)
  })

  it('come nearer to what the provider counts, each model for itself', () => {
    const rates = new TokenRates()
    for (let answers = 0; answers < 200; answers += 1) rates.learn('m', 10_000, 4_000)
    expect(rates.of('m')).toBeCloseTo(0.4, 3)
    expect(rates.of('other')).toBe(0.25)
  })

  it('go slowly, and not beyond what is sensible', () => {
    const rates = new TokenRates()
    rates.learn('m', 10_000, 1_000_000)
    expect(rates.of('m')).toBeLessThan(0.3)
    for (let answers = 0; answers < 500; answers += 1) rates.learn('m', 10_000, 1_000_000)
    expect(rates.of('m')).toBeLessThanOrEqual(0.5)
    for (let answers = 0; answers < 500; answers += 1) rates.learn('m', 10_000, 7)
    expect(rates.of('m')).toBeGreaterThanOrEqual(0.125)
  })

  it('do not change by short prompts', () => {
    const rates = new TokenRates()
    rates.learn('m', 10, 100)
    expect(rates.of('m')).toBe(0.25)
  })
})
