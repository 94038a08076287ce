import { describe, expect, it } from '@jest/globals'
import { requiredText } from './text.ts'

const line = (value: string) => requiredText(value, { param: 'name', max: 20, singleLine: true })

describe('a text of one line', () => {
  it.each([0x0a, 0x1b, 0x7f, 0x85, 0x9b, 0x2028, 0x2029])('refuses the character %i', (code) => {
    expect(() => line(`a${String.fromCodePoint(code)}b`)).toThrow(
      expect.objectContaining({ code: 'invalid_parameter', param: 'name' }),
    )
  })

  it('takes letters and symbols of any script', () => {
    for (const value of ['naïve 日本', 'a\u00a0b', '👩\u200d🌾']) expect(line(value)).toBe(value)
  })
})

describe('the length of a text', () => {
  it('is counted in characters, whether or not JavaScript has halves for them', () => {
    const faces = (count: number) => '🙂'.repeat(count)
    for (const text of ['a'.repeat(20), faces(20), `${faces(19)}a`]) expect(line(text)).toBe(text)
    for (const text of ['a'.repeat(21), faces(21), `${faces(20)}a`, faces(300)])
      expect(() => line(text)).toThrow('at most 20 characters')
  })
})
