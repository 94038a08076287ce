import { describe, expect, it } from '@jest/globals'
import { givenTitle, titleFromText } from './title.ts'

describe('titles', () => {
  it.each([
    ['Read https://example.org/a?b=c and tell me.', 'Read and tell me'],
    ['Write to bob@example.org about it', 'Write to about it'],
    ['See [the manual](https://example.org/m) first', 'See the manual first'],
    ['What grows at **night**?', 'What grows at night'],
    ['and/or: it’s #1 (v2) – 100%!', "and or it's 1 v2 100"],
    ['  many \n\t blanks  ', 'many blanks'],
    ['日本語の質問です。', '日本語の質問です'],
  ])('drops what is not readable: %s', (text, title) => {
    expect(titleFromText(text)).toBe(title)
  })

  it('cuts at a word with three dots, at 256 characters', () => {
    const title = titleFromText('word '.repeat(100))!
    expect(title.length).toBeLessThanOrEqual(256)
    expect(title).toMatch(/word\.\.\.$/)
    expect(titleFromText('x'.repeat(300))).toBe(`${'x'.repeat(253)}...`)
  })

  it('finds none in what has no letters', () => {
    expect(titleFromText('https://example.org')).toBeNull()
    expect(titleFromText('?!')).toBeNull()
  })

  it('refuses a given title that is blank, too long or nothing but symbols', () => {
    for (const title of ['', '   ', '***', 'x'.repeat(257)]) {
      expect(() => givenTitle(title)).toThrow(
        expect.objectContaining({ code: 'invalid_parameter', param: 'title' }),
      )
    }
    expect(givenTitle('x'.repeat(256))).toHaveLength(256)
    expect(() => givenTitle('\u0958'.repeat(256))).toThrow('at most 256 characters')
    expect(givenTitle(givenTitle('\u0958'.repeat(128)))).toHaveLength(256)
  })
})
