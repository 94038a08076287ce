import type { ImageBytes } from './image-bytes.ts'
import type { PixelSize } from './pixel-size.ts'

const endOfImage = Buffer.from('\xff\xd9', 'latin1')
/** Cameras of one maker put a directory of their own behind the picture, which ends so. */
const knownTrailer = Buffer.from('SEFT', 'latin1')
/** What a phone's photo with a video behind it says of that, in its metadata. */
const videoBehind = ['MotionPhoto', 'MicroVideo']

/** Real files have a few dozen before the frame. */
const maxSegments = 1_000
/** A marker may be preceded by any number of 0xff: more of them than a few are none of a writer's. */
const longestMarker = 16

interface Segment {
  readonly marker: number
  /** Of its length field, which the payload follows. */
  readonly start: number
  /** Where the next one begins. */
  readonly end: number
}

/**
 * The size in the frame header, found as decoders find it: from segment to segment (ISO 10918-1, annex B). Unlike them it does not look
 * for the next marker where none is. A JPEG must have its end within the last bytes: some writers pad. Where a video follows, that can't be seen.
 */
export async function jpegSize(bytes: ImageBytes): Promise<PixelSize | null> {
  if (!bytes.tail.includes(endOfImage) && !hasOtherEnd(bytes)) return null
  let segment = await segmentAt(bytes, 2)
  for (let count = 1; segment && count < maxSegments; count++) {
    if (isFrameHeader(segment.marker)) return frameSize(bytes, segment)
    if (!mayPrecedeFrame(segment.marker)) return null
    segment = await segmentAt(bytes, segment.end)
  }
  return null
}

function hasOtherEnd({ head, tail }: ImageBytes): boolean {
  return tail.subarray(-4).equals(knownTrailer) || videoBehind.some((mark) => head.includes(mark))
}

async function segmentAt(bytes: ImageBytes, place: number): Promise<Segment | null> {
  const start = await bytes.at(place, longestMarker + 2)
  const filled = start.findIndex((byte) => byte !== 0xff)
  if (filled < 1 || start.length < filled + 3) return null
  const length = start.readUInt16BE(filled + 1)
  if (length < 2) return null
  const lengthAt = place + filled + 1
  return { marker: start[filled] ?? 0, start: lengthAt, end: lengthAt + length }
}

/** SOF0 to SOF15, without DHT, JPG and DAC, which stand among them. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** Tables (DHT, DAC, DQT, DRI), applications' data and comments; no scan, no end, no restart. */
function mayPrecedeFrame(marker: number): boolean {
  return (
    marker === 0xc4 ||
    marker === 0xcc ||
    marker === 0xdb ||
    marker === 0xdd ||
    marker === 0xfe ||
    (marker >= 0xe0 && marker <= 0xef)
  )
}

/** Length, precision, height, width, and how many components there are, with three bytes for each. */
async function frameSize(bytes: ImageBytes, { start, end }: Segment): Promise<PixelSize | null> {
  const frame = await bytes.at(start, 8)
  const components = frame[7] ?? 0
  if (components < 1 || components > 4 || end - start !== 8 + 3 * components) return null
  return { height: frame.readUInt16BE(3), width: frame.readUInt16BE(5) }
}
