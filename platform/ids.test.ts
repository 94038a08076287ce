import { describe, expect, it } from '@jest/globals'
import { hasIdShape, isShareSlug, newId, newShareSlug, randomDigits } from './ids.ts'

describe('randomDigits', () => {
  it('gives as many digits as asked for, also more than one fetch of randomness holds', () => {
    for (const length of [0, 1, 16, 5_000, 9_000]) {
      expect(randomDigits(length)).toHaveLength(length)
      expect(randomDigits(length)).toMatch(/^[0-9a-z]*$/)
    }
  })

  it('favours no digit: each comes up within six standard deviations of its share', () => {
    const each = 20_000
    const drawn = randomDigits(36 * each)
    const counts = new Map<string, number>()
    for (const digit of drawn) counts.set(digit, (counts.get(digit) ?? 0) + 1)
    expect(counts.size).toBe(36)
    const bound = 6 * Math.sqrt(each * (35 / 36))
    for (const count of counts.values()) expect(Math.abs(count - each)).toBeLessThan(bound)
  })

  it('never gives the same again', () => {
    const ids = Array.from({ length: 50_000 }, () => newId('conversation'))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => hasIdShape('conversation', id))).toBe(true)
  })
})

describe('the slug of a share', () => {
  it('is drawn from all of base 62', () => {
    const slugs = Array.from({ length: 1_000 }, newShareSlug)
    expect(slugs.every(isShareSlug)).toBe(true)
    expect(new Set(slugs).size).toBe(slugs.length)
    expect(new Set(slugs.join('')).size).toBe(62)
  })

  it.each(['', 'a'.repeat(21), 'a'.repeat(23), `${'a'.repeat(21)}-`, `${'a'.repeat(22)}\n`])(
    'is not %j',
    (text) => {
      expect(isShareSlug(text)).toBe(false)
    },
  )
})
