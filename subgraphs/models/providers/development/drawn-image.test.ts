import { describe, expect, it } from '@jest/globals'
import sharp from 'sharp'
import { drawImage, drawOn, sizeOf } from './drawn-image.ts'

const draw = (prompt: string, width = 256, height = 256) =>
  drawImage({ prompt, note: 'Drawn', width, height })

describe('a drawn image', () => {
  it('is the same for the same prompt, and another for another', async () => {
    expect(await draw('A kite')).toEqual(await draw('A kite'))
    expect(await draw('A kite')).not.toEqual(await draw('A boat'))
  })

  it('has the prompt in white on it', async () => {
    const ink = async (prompt: string) => {
      const { data } = await sharp(await draw(prompt))
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true })
      return data.filter((value) => value > 240).length
    }
    expect(await ink('A kite')).toBeGreaterThan(200)
    expect(await ink(' ')).not.toBe(await ink('A kite'))
  })

  it.each([
    ['of one letter', 'W'],
    ['that is long', 'A very long prompt. '.repeat(400)],
    ['without a space', 'W'.repeat(2_000)],
    ['of letters that the font has not', '日本語のとても長い文章'.repeat(50)],
    ['from right to left', 'مرحبا بالعالم'],
    ['that is markup', '<span size="999999">&lt;</span> &'],
    ['of half a character', '\ud800'],
    ['of blanks and controls', ' \u0000\n\t '],
    ['of what has no width', '\u200b\u00ad\u200e'],
    ['of tags', '\u{e0001}\u{e0041}'],
    ['of a blank that counts as a letter', '\u3164'],
    ['of what stands over a letter that is not there', '\u0301'],
    ['of blank Braille', '\u2800'],
  ])('fits for a prompt %s, in every size', async (_what, prompt) => {
    for (const [width, height] of [
      [8, 8],
      [64, 64],
      [65, 200],
      [600, 64],
    ] as const)
      expect(await sizeOf(await draw(prompt, width, height))).toEqual({ width, height })
  })

  it('can be drawn over another', async () => {
    const base = await draw('A kite', 300, 200)
    const over = await drawOn(base, { prompt: 'At night', note: 'Drawn', width: 150, height: 100 })
    expect(await sizeOf(over)).toEqual({ width: 150, height: 100 })
    expect(over).not.toEqual(
      await drawOn(base, { prompt: 'At noon', note: 'Drawn', width: 150, height: 100 }),
    )
  })
})
