import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type { OverlayOptions, Sharp } from 'sharp'

/** A picture to be drawn: what it says, and on what. */
export interface Drawing {
  readonly prompt: string
  /** Small, at the lower edge. */
  readonly note: string
  readonly width: number
  readonly height: number
}

/** What is smaller has no room for letters. */
const leastSide = 64
/** As much as can be read on a picture. */
const mostCharacters = 400
/** The one font that is always there: it comes with us. */
const font = () =>
  createRequire(import.meta.url).resolve('@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff')

/** Draws a plain picture with the prompt written on it, as PNG. The same drawing always looks the same. */
export async function drawImage({ prompt, note, width, height }: Drawing): Promise<Buffer> {
  const sharp = await library()
  const { r, g, b } = colourOf(prompt)
  const background = { r, g, b }
  const canvas = sharp({ create: { width, height, channels: 3, background } })
  return labelled(canvas, { prompt, note, width, height })
}

/** The same on an image that is there, as large as `width` and `height` say. */
export async function drawOn(image: Uint8Array, { prompt, note, width, height }: Drawing): Promise<Buffer> {
  const sharp = await library()
  const canvas = sharp(image, { autoOrient: true }).resize(width, height, { fit: 'cover' })
  return labelled(canvas, { prompt, note, width, height })
}

/** In pixels, the way up that it is shown. */
export async function sizeOf(image: Uint8Array): Promise<{ width: number; height: number }> {
  const sharp = await library()
  const { autoOrient } = await sharp(image).metadata()
  return autoOrient
}

/** Only who draws needs it. */
async function library() {
  return (await import('sharp')).default
}

async function labelled(canvas: Sharp, drawing: Drawing): Promise<Buffer> {
  return canvas
    .composite(await labels(drawing))
    .removeAlpha()
    .png()
    .toBuffer()
}

/** The texts with the shade behind them; none where they would be larger than the picture. */
async function labels({ prompt, note, width, height }: Drawing): Promise<OverlayOptions[]> {
  if (Math.min(width, height) < leastSide) return []
  const band = Math.round(height * 0.5)
  const shade = { r: 0, g: 0, b: 0, alpha: 0.45 }
  return [
    { input: { create: { width, height: band, channels: 4, background: shade } }, gravity: 'centre' },
    { input: await text(shortened(prompt), width * 0.86, band * 0.8), gravity: 'centre' },
    { input: await text(note, width * 0.86, height * 0.04), gravity: 'south' },
  ]
}

/** White, as large as fits. */
async function text(words: string, most: number, high: number): Promise<Buffer> {
  const sharp = await library()
  const [width, height] = [Math.round(most), Math.max(8, Math.round(high))]
  const set = sharp({
    text: {
      text: `<span foreground="white">${escaped(words)}</span>`,
      font: 'DejaVu Sans',
      fontfile: font(),
      width,
      height,
      align: 'centre',
      wrap: 'word-char',
      rgba: true,
    },
  })
  // It looks for the size that fits, and does not always find one that is small enough.
  const written = await set.png().toBuffer()
  return sharp(written).resize(width, height, { fit: 'inside', withoutEnlargement: true }).toBuffer()
}

/** Where there is nothing to be seen the library fails. */
const visible = /[^\s\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

function shortened(prompt: string): string {
  const characters = [
    ...prompt
      .toWellFormed()
      .replace(/\p{Cc}+/gu, ' ')
      .trim(),
  ]
  if (!characters.some((character) => visible.test(character))) return '…'
  if (characters.length <= mostCharacters) return characters.join('')
  return `${characters.slice(0, mostCharacters).join('')}…`
}

/** Text is markup there. */
function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Neither too light nor too dark, and the same for the same prompt. */
function colourOf(prompt: string): { r: number; g: number; b: number } {
  const [r = 0, g = 0, b = 0] = createHash('sha256').update(prompt).digest()
  const muted = (part: number) => 60 + Math.round(part * 0.45)
  return { r: muted(r), g: muted(g), b: muted(b) }
}
