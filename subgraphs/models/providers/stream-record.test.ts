import { describe, expect, it } from '@jest/globals'
import { usageOf } from './stream-record.ts'

describe('a provider’s usage figures', () => {
  it('are taken as they come, with what else the provider tells', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cached: true }
    expect(usageOf({ usage })).toEqual(usage)
    expect(usageOf({ usage: { prompt_tokens: 3 } })).toEqual({
      prompt_tokens: 3,
      completion_tokens: 0,
      total_tokens: 3,
    })
  })

  it('count as absent where no provider can mean them', () => {
    for (const prompt of [-1, 1e30, 0.5, Number.NaN, '3', null, undefined]) {
      expect(usageOf({ usage: { prompt_tokens: prompt, completion_tokens: 1 } })).toBeNull()
    }
    expect(usageOf({ usage: { prompt_tokens: 2, completion_tokens: 1e30, total_tokens: -5 } })).toEqual({
      prompt_tokens: 2,
      completion_tokens: 0,
      total_tokens: 2,
    })
  })
})
