import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import sharp from 'sharp'
import { AppError } from '../../../platform/errors.ts'
import type { ByteRange } from '../../../platform/stored-bytes.ts'
import type { ImageSource } from './image-bytes.ts'
import { imageTypes } from './image-types.ts'
import { type ImageFacts, inspectImage, maxPixels, maxSide, sniffImage } from './inspect-image.ts'

const width = 37
const height = 23

/** As much as uploads keep of a file. */
const headBytes = 65_536
const tailBytes = 64
const param = 'source'

type Extension = ImageFacts['extension']
const extensions: readonly Extension[] = ['jpg', 'png', 'webp', 'gif', 'bmp', 'tiff']
const images = {} as Record<Extension, Buffer>

/** The same bytes in every run, without any pattern. */
function scramble(outputLength: number): Buffer {
  return createHash('shake256', { outputLength }).digest()
}

/** An image of which nothing can be left out, so that its bytes are many. */
function noise(width: number, height: number) {
  return sharp(scramble(width * height * 3), { raw: { width, height, channels: 3 } })
}

/** A bitmap of 24 bits a pixel with the header of Windows. */
function bitmap(width: number, height: number): Buffer {
  const stride = Math.ceil((width * 24) / 32) * 4
  const file = Buffer.alloc(54 + stride * height, 0x7f)
  file.fill(0, 0, 54)
  file.write('BM')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(24, 28)
  return file
}

beforeAll(async () => {
  const image = noise(width, height)
  images.jpg = await image.clone().jpeg().toBuffer()
  images.png = await image.clone().png().toBuffer()
  images.webp = await image.clone().webp().toBuffer()
  images.gif = await image.clone().gif().toBuffer()
  images.tiff = await image.clone().tiff().toBuffer()
  images.bmp = bitmap(width, height)
})

/** The head and the tail of a file. */
function ends(file: Buffer): ImageSource {
  return { head: file.subarray(0, headBytes), tail: file.subarray(-tailBytes), size: file.length }
}

/** A file whose middle can be read too, and what was read of it. */
function readable(file: Buffer): ImageSource & { readonly ranges: ByteRange[] } {
  const ranges: ByteRange[] = []
  return {
    ...ends(file),
    ranges,
    async read(range) {
      ranges.push(range)
      return file.subarray(range.start, range.end + 1)
    },
  }
}

const inspect = (file: Buffer) => inspectImage({ ...ends(file), param })

async function refusal(file: Buffer): Promise<string> {
  const error: unknown = await inspect(file).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(AppError)
  expect(error).toMatchObject({ code: 'invalid_parameter', param: 'source' })
  return (error as AppError).message
}

const notAnImage = 'This is not an image of a type that is taken: JPEG, PNG, WebP, GIF, BMP or TIFF.'
const broken = 'The image is cut short or broken.'
const tooManyPixels = 'The image has more than 100 megapixels, or a side of more than 30000 pixels.'

/** A copy of a file with some bytes in place of others. */
function patched(file: Buffer, at: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(file)
  Buffer.from(bytes).copy(copy, at)
  return copy
}

describe('an image', () => {
  it.each(extensions)('is told by its bytes and measured: %s', async (extension) => {
    const mime = `image/${extension === 'jpg' ? 'jpeg' : extension}`
    expect(await inspect(images[extension])).toEqual({ mime, extension, width, height })
    expect(sniffImage(images[extension].subarray(0, 16), param)).toEqual({ mime, extension })
    expect(imageTypes).toContain(mime)
  })

  it.each<[kind: string, make: () => Promise<Buffer>]>([
    ['a progressive JPEG', () => noise(width, height).jpeg({ progressive: true }).toBuffer()],
    ['a grey JPEG', () => noise(width, height).grayscale().jpeg().toBuffer()],
    ['a JPEG in CMYK', () => noise(width, height).toColourspace('cmyk').jpeg().toBuffer()],
    [
      'a JPEG with metadata',
      () =>
        noise(width, height)
          .withExif({ IFD0: { Artist: 'a'.repeat(9000) } })
          .jpeg()
          .toBuffer(),
    ],
    ['a JPEG with a profile', () => noise(width, height).withIccProfile('p3').jpeg().toBuffer()],
    ['an indexed PNG', () => noise(width, height).png({ palette: true }).toBuffer()],
    ['an interlaced PNG', () => noise(width, height).png({ progressive: true }).toBuffer()],
    ['a lossless WebP', () => noise(width, height).webp({ lossless: true }).toBuffer()],
    ['a WebP with transparency', () => noise(width, height).ensureAlpha(0.5).webp().toBuffer()],
    ['a WebP with metadata', () => noise(width, height).withIccProfile('p3').webp().toBuffer()],
    ['a TIFF without compression', () => noise(width, height).tiff({ compression: 'none' }).toBuffer()],
    ['a TIFF of tiles', () => noise(width, height).tiff({ tile: true, compression: 'lzw' }).toBuffer()],
    ['a TIFF with a JPEG in it', () => noise(width, height).tiff({ compression: 'jpeg' }).toBuffer()],
  ])('of another kind is measured as well: %s', async (_, make) => {
    expect(await inspect(await make())).toMatchObject({ width, height })
  })

  it('of one pixel is one', async () => {
    expect(await inspect(await noise(1, 1).png().toBuffer())).toMatchObject({ width: 1, height: 1 })
    expect(await inspect(bitmap(1, 1))).toMatchObject({ width: 1, height: 1 })
  })

  it('keeps the sides that it is stored with, whatever its metadata says of how to turn it', async () => {
    const turned = await noise(width, height).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect(await inspect(turned)).toMatchObject({ width, height })
  })

  it('may be padded a little', async () => {
    const padding = Buffer.alloc(20)
    for (const extension of extensions) {
      expect(await inspect(Buffer.concat([images[extension], padding]))).toMatchObject({
        extension,
        width,
        height,
      })
    }
    const phone = Buffer.concat([images.jpg, scramble(200), Buffer.from('SEFT')])
    expect(await inspect(phone)).toMatchObject({ extension: 'jpg' })
    const told = Buffer.from('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta GCamera:MotionPhoto="1"/>')
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, told.length + 2]), told])
    const start = images.jpg.subarray(0, 2)
    const moving = Buffer.concat([
      start,
      segment,
      images.jpg.subarray(2),
      Buffer.from('ftypmp42'),
      scramble(300),
    ])
    expect(await inspect(moving)).toMatchObject({ extension: 'jpg', width, height })
  })

  it('as a bitmap may be top-down, of OS/2, or packed by runs', async () => {
    expect(await inspect(patched(images.bmp, 22, [-height & 0xff, 0xff, 0xff, 0xff]))).toMatchObject({
      width,
      height,
    })
    const runs = patched(images.bmp, 28, [8, 0, 1, 0, 0, 0, 100])
    expect(await inspect(runs)).toMatchObject({ width, height })
    const core = Buffer.alloc(26 + Math.ceil((width * 24) / 32) * 4 * height)
    core.write('BM')
    core.writeUInt32LE(26, 10)
    core.writeUInt32LE(12, 14)
    for (const [at, value] of [width, height, 1, 24].entries()) core.writeUInt16LE(value, 18 + 2 * at)
    expect(await inspect(core)).toMatchObject({ width, height })
    expect(await refusal(core.subarray(0, -1))).toBe(broken)
  })
})

describe('metadata before the frame of a JPEG', () => {
  const segment = (length: number) =>
    Buffer.concat([Buffer.from([0xff, 0xe2, length >> 8, length & 0xff]), Buffer.alloc(length - 2, 0xff)])
  const withSegments = (count: number, length = 65_535) =>
    Buffer.concat([images.jpg.subarray(0, 2), ...Array(count).fill(segment(length)), images.jpg.subarray(2)])

  it('is passed over, longer than the head too, where the rest can be read', async () => {
    expect(await inspect(withSegments(50, 1_000))).toMatchObject({ width, height })
    for (const count of [1, 2, 4, 5, 30]) {
      const file = withSegments(count)
      const source = readable(file)
      expect(await inspectImage({ ...source, param })).toMatchObject({ width, height })
      expect(source.ranges.length).toBeLessThanOrEqual(16)
      for (const { start, end } of source.ranges) {
        expect(end - start).toBeLessThan(256 * 1024)
        expect(end).toBeLessThan(file.length)
      }
    }
  })

  it('is refused where the rest cannot be read, or is endless', async () => {
    expect(await refusal(withSegments(5))).toBe(broken)
    const source = readable(withSegments(200))
    await expect(inspectImage({ ...source, param })).rejects.toThrow(broken)
    expect(source.ranges.length).toBeLessThanOrEqual(16)
    expect(await refusal(withSegments(2_000, 2))).toBe(broken)
  })

  it('that fails to be read fails as it does', async () => {
    const failure = new AppError('media_storage_failed', 'The store is away.')
    const source = { ...ends(withSegments(5)), read: () => Promise.reject(failure) }
    await expect(inspectImage({ ...source, param })).rejects.toBe(failure)
  })

  it('hides no frame: what decoders pass over does not count', async () => {
    const [start, rest] = [images.jpg.subarray(0, 2), images.jpg.subarray(2)]
    const small = [0xff, 0xc0, 0, 17, 8, 0, 1, 0, 1, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
    const comment = Buffer.from([0xff, 0xfe, 0, small.length + 2, ...small])
    expect(await inspect(Buffer.concat([start, comment, rest]))).toMatchObject({ width, height })
    expect(await refusal(Buffer.concat([start, Buffer.from('garbage'), rest]))).toBe(notAnImage)
    for (const marker of [0xda, 0xd9, 0xd8, 0xd0, 0x01, 0x02]) {
      const stray = Buffer.from([0xff, marker, 0, 2])
      expect(await refusal(Buffer.concat([start, stray, rest]))).toBe(broken)
    }
    expect(await refusal(Buffer.concat([start, comment, Buffer.from('garbage'), rest]))).toBe(broken)
  })
})

describe('a TIFF whose directory comes last', () => {
  it('is measured where it can be read, or lies within the head', async () => {
    const file = await noise(400, 400).tiff({ compression: 'none' }).toBuffer()
    expect(file.length).toBeGreaterThan(headBytes)
    const directoryAt = file[0] === 0x49 ? file.readUInt32LE(4) : file.readUInt32BE(4)
    const source = readable(file)
    expect(await inspectImage({ ...source, param })).toMatchObject({
      extension: 'tiff',
      width: 400,
      height: 400,
    })
    if (directoryAt > headBytes) expect(await refusal(file)).toBe(broken)
    else expect(await inspect(file)).toMatchObject({ width: 400 })
    await expect(inspectImage({ ...readable(file.subarray(0, -200)), param })).rejects.toThrow(broken)
  })
})

describe('a TIFF whose directory comes first', () => {
  /** Of 100 grey pixels in one strip; `more` entries follow those that are needed. */
  const tiff = (
    more: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [],
  ) => {
    const needed = [
      [256, 3, 1, 10],
      [257, 3, 1, 10],
      [273, 4, 1, 0],
      [279, 4, 1, 100],
    ] as const
    const entries = [...needed, ...more]
    const file = Buffer.alloc(8 + 2 + entries.length * 12 + 4 + 100, 0xee)
    file.write('II\x2a\0\x08\0\0\0', 'latin1')
    file.writeUInt16LE(entries.length, 8)
    for (const [at, [tag, type, count, value]] of entries.entries()) {
      const place = 10 + at * 12
      file.writeUInt16LE(tag, place)
      file.writeUInt16LE(type, place + 2)
      file.writeUInt32LE(count, place + 4)
      file.writeUInt32LE(tag === 273 ? file.length - 100 : value, place + 8)
    }
    return file
  }

  it('is measured, and must hold all of its pixels', async () => {
    expect(await inspect(tiff())).toMatchObject({ extension: 'tiff', width: 10, height: 10 })
    expect(await refusal(tiff().subarray(0, -1))).toBe(broken)
  })

  it('has the size that decoders take of two', async () => {
    expect(await inspect(tiff([[256, 3, 1, 5]]))).toMatchObject({ width: 10 })
  })

  it('must hold what its entries point to, whatever it is', async () => {
    expect(await inspect(tiff([[40_000, 2, 50, 0]]))).toMatchObject({ width: 10 })
    expect(await refusal(tiff([[40_000, 2, 50, 200]]))).toBe(broken)
    expect(await refusal(tiff([[40_000, 12, 4_000_000_000, 0]]))).toBe(broken)
  })
})

describe('what is no image', () => {
  it.each<[kind: string, bytes: Buffer | string]>([
    ['nothing', ''],
    ['one byte', 'a'],
    ['text', 'Hello, this is text.'],
    ['zeros', Buffer.alloc(1000)],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>'],
    [
      'SVG after a declaration',
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    ],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['PDF', '%PDF-1.7\n%âãÏÓ\n'],
    ['MP4', '\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41'],
    ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
    ['AVIF', '\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf'],
    ['an icon', Buffer.from('00000100010010100000010020006804000016000000', 'hex')],
    ['a cursor', Buffer.from('00000200010010100000010020006804000016000000', 'hex')],
    ['a Photoshop file', '8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x10\0\0\0\x10\0\x08\0\x03'],
    ['a PNM', 'P6\n10 10\n255\n'],
    ['a BigTIFF', Buffer.from('49492b00080000001000000000000000', 'hex')],
    ['a WAV', 'RIFF\x24\0\0\0WAVEfmt \x10\0\0\0'],
    ['a ZIP', 'PK\x03\x04\x14\0'],
  ])('%s is refused', async (_, bytes) => {
    expect(await refusal(Buffer.from(bytes as string, 'latin1'))).toBe(notAnImage)
  })

  it('is refused before a real image, however little it is', async () => {
    for (const extension of extensions) {
      for (const before of ['\n', '<', '<!doctype html>', '%PDF-1.7\n', '\0', 'GIF']) {
        const file = Buffer.concat([Buffer.from(before), images[extension]])
        expect(await refusal(file)).toBe(notAnImage)
      }
    }
  })

  it('is refused where only the signature is an image’s', async () => {
    const script = Buffer.from('/*<script>alert(1)</script>*/'.repeat(20))
    const starts = [
      'ffd8ff',
      '89504e470d0a1a0a',
      '52494646ffffff7f5745425056503820',
      '474946383961',
      '424d',
      '49492a00',
    ]
    for (const start of starts) {
      expect(await refusal(Buffer.concat([Buffer.from(start, 'hex'), script]))).toBe(broken)
      expect(await refusal(Buffer.from(start, 'hex'))).toBe(broken)
    }
  })

  it('is refused where it has a signature and an end, and nothing between', async () => {
    expect(await refusal(Buffer.from('GIF89a\0;'))).toBe(broken)
    expect(await refusal(Buffer.concat([images.png.subarray(0, 16), images.png.subarray(-12)]))).toBe(broken)
    expect(await refusal(Buffer.from('ffd8ffd9', 'hex'))).toBe(broken)
  })

  it('is refused where the signature is that of another type', async () => {
    for (const of of extensions) {
      for (const on of extensions) {
        if (of === on) continue
        expect(await refusal(Buffer.concat([images[of].subarray(0, 16), images[on].subarray(16)]))).toBe(
          broken,
        )
      }
    }
  })
})

describe('an image that is cut short', () => {
  it.each(extensions)('is refused: %s', async (extension) => {
    const file = images[extension]
    for (const cut of [1, 2, 10, 100, Math.floor(file.length / 2)]) {
      expect(await refusal(file.subarray(0, -cut))).toBe(broken)
    }
  })

  it.each(extensions)('is refused at every length: %s', async (extension) => {
    for (let length = 0; length < 200; length++) await refusal(images[extension].subarray(0, length))
  })
})

describe('an image that is too large to be decoded', () => {
  /** Where the size stands, and how it is written. */
  const claims: Readonly<Record<Exclude<Extension, 'tiff'>, (width: number, height: number) => Buffer>> = {
    jpg(width, height) {
      const frameAt = images.jpg.indexOf(Buffer.from([0xff, 0xc0]))
      return patched(images.jpg, frameAt + 5, [height >> 8, height & 0xff, width >> 8, width & 0xff])
    },
    png(width, height) {
      const file = Buffer.from(images.png)
      file.writeUInt32BE(width, 16)
      file.writeUInt32BE(height, 20)
      return file
    },
    gif(width, height) {
      return patched(images.gif, 6, [width & 0xff, width >> 8, height & 0xff, height >> 8])
    },
    webp(width, height) {
      const file = Buffer.alloc(30)
      file.write('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0', 'latin1')
      file.writeUIntLE(width - 1, 24, 3)
      file.writeUIntLE(height - 1, 27, 3)
      return file
    },
    bmp(width, height) {
      const file = patched(images.bmp, 28, [8, 0, 1, 0, 0, 0])
      file.writeInt32LE(width, 18)
      file.writeInt32LE(height, 22)
      return file
    },
  }
  /** Width and height of a TIFF that sharp makes are SHORTs. */
  const tiffClaim = (width: number, height: number) => {
    const file = Buffer.from(images.tiff)
    const little = file[0] === 0x49
    const directory = little ? file.readUInt32LE(4) : file.readUInt32BE(4)
    for (let at = directory + 2; at < file.length - 12; at += 12) {
      const tag = little ? file.readUInt16LE(at) : file.readUInt16BE(at)
      if (tag !== 256 && tag !== 257) continue
      const value = tag === 256 ? width : height
      const isShort = (little ? file.readUInt16LE(at + 2) : file.readUInt16BE(at + 2)) === 3
      if (little) file.writeUIntLE(value, at + 8, isShort ? 2 : 4)
      else file.writeUIntBE(value, at + 8, isShort ? 2 : 4)
    }
    return file
  }
  const all = Object.entries({ ...claims, tiff: tiffClaim })

  it.each(all)('is refused for its pixels or a side: %s', async (_, claim) => {
    for (const [width, height] of [
      [60_000, 60_000],
      [maxSide + 1, 1],
      [1, maxSide + 1],
      [20_000, 5_001],
    ] as const) {
      expect(await refusal(claim(width, height))).toBe(tooManyPixels)
    }
    expect(maxPixels).toBe(100_000_000)
  })

  it.each(all)('is taken up to there: %s', async (_, claim) => {
    for (const [width, height] of [
      [20_000, 5_000],
      [maxSide, 1],
    ] as const) {
      expect(await inspect(claim(width, height))).toMatchObject({ width, height })
    }
  })

  it.each(all.filter(([extension]) => extension !== 'webp'))('has an area: %s', async (_, claim) => {
    expect(await refusal(claim(0, 10))).toBe(broken)
    expect(await refusal(claim(10, 0))).toBe(broken)
  })

  it('is not hidden by a second size in the directory of a TIFF', async () => {
    const file = tiffClaim(60_000, 60_000)
    const little = file[0] === 0x49
    const decoy = tiffClaim(10, 10)
    const directory = little ? file.readUInt32LE(4) : file.readUInt32BE(4)
    const behind = Buffer.concat([file, decoy.subarray(directory + 2)])
    expect(await refusal(behind)).toBe(tooManyPixels)
  })
})

describe('any bytes', () => {
  const outcome = async (source: ImageSource) => {
    try {
      const facts = await inspectImage({ ...source, param })
      expect(facts.width * facts.height).toBeLessThanOrEqual(maxPixels)
      expect(Math.min(facts.width, facts.height)).toBeGreaterThanOrEqual(1)
      expect(Number.isInteger(facts.width) && Number.isInteger(facts.height)).toBe(true)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      expect(error.code).toBe('invalid_parameter')
    }
  }
  const anyImage = fc.constantFrom(...extensions).map((extension) => images[extension])

  it('give facts or an AppError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => outcome(readable(Buffer.from(bytes)))),
      { numRuns: 1000 },
    )
  })

  it('after a true signature give facts or an AppError', async () => {
    const property = fc.asyncProperty(
      anyImage,
      fc.integer({ min: 2, max: 60 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (file, kept, bytes, hasEnd) => {
        const end = hasEnd ? file.subarray(-tailBytes) : Buffer.alloc(0)
        return outcome(readable(Buffer.concat([file.subarray(0, kept), bytes, end])))
      },
    )
    await fc.assert(property, { numRuns: 1000 })
  })

  it('of an image that was changed here and there give facts or an AppError', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 20,
    })
    // Headers are short, and nothing else is read.
    const near = fc.constantFrom(30, 200, 100_000)
    const property = fc.asyncProperty(
      anyImage,
      changes,
      near,
      fc.nat({ max: 50 }),
      (file, changed, reach, cut) => {
        const copy = Buffer.from(file.subarray(0, file.length - (cut > 25 ? cut : 0)))
        for (const [at, byte] of changed) copy[at % Math.min(reach, copy.length)] = byte
        return outcome(readable(copy))
      },
    )
    await fc.assert(property, { numRuns: 3000 })
  })

  it('of a TIFF’s directory give facts or an AppError', async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    })
    const property = fc.asyncProperty(changes, (changed) => {
      const copy = Buffer.from(images.tiff)
      const directory = copy[0] === 0x49 ? copy.readUInt32LE(4) : copy.readUInt32BE(4)
      for (const [at, byte] of changed) copy[directory + (at % (copy.length - directory))] = byte
      return outcome(readable(copy))
    })
    await fc.assert(property, { numRuns: 2000 })
  })

  it('that sharp made are measured as it measures them', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom('jpeg', 'png', 'webp', 'gif', 'tiff'),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      async (format, width, height) => {
        const file = await noise(width, height)
          .toFormat(format as 'jpeg')
          .toBuffer()
        expect(await inspectImage({ ...readable(file), param })).toMatchObject({ width, height })
      },
    )
    await fc.assert(property, { numRuns: 40 })
  })
})
