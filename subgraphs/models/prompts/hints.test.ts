import { describe, expect, it } from '@jest/globals'
import { hintsFromHeaders, hintsFromInput } from './hints.ts'

describe('hints of a request', () => {
  it('are lines of whole characters, however long they were', () => {
    const long = `${'x'.repeat(499)}😀 and more`
    const { persona, memory } = hintsFromInput({ persona: long, memory: [`half \ud83d`, 'a\r\nb\u0000c'] })
    expect(persona).toBe(`${'x'.repeat(499)}\ufffd`)
    expect(memory).toEqual(['half \ufffd', 'a b c'])
  })

  it('come out of headers as one line each', () => {
    expect(
      hintsFromHeaders({ persona: ' a\tpirate ', memory: 'one;; two ', acceptLanguage: 'de;q=2, fr;q=0.5' }),
    ).toEqual({
      persona: 'a pirate',
      memory: ['one', 'two'],
      language: 'fr',
    })
    expect(hintsFromHeaders(null)).toBeNull()
  })
})
