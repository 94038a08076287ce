import sharp from 'sharp'

let made = 0

/** A whole image that no other call has given: a square of one colour. */
export async function testImage(format: 'png' | 'jpeg' | 'webp' | 'gif' = 'png', side = 8): Promise<Buffer> {
  made += 1
  const background = { r: made % 256, g: Math.floor(made / 256) % 256, b: process.pid % 256 }
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .toFormat(format)
    .toBuffer()
}

/** An image of a size that can't be compressed away, in bytes about 3 * side * side. */
export async function noisyImage(side: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  return sharp({ create: { width: side, height: side, channels: 3, background: 'black', noise } })
    .png({ compressionLevel: 0 })
    .toBuffer()
}

export const dataUrlOf = (bytes: Buffer, type = 'image/png') =>
  `data:${type};base64,${bytes.toString('base64')}`
