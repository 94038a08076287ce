import type { ImageBytes } from './image-bytes.ts'
import type { PixelSize } from './pixel-size.ts'

const tag = {
  width: 256,
  height: 257,
  stripOffsets: 273,
  stripBytes: 279,
  tileOffsets: 324,
  tileBytes: 325,
} as const
/** Bytes of a value of each type from BYTE to DOUBLE, and of IFD. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]
/** SHORT and LONG: the types of sizes and places. */
const integers = new Set([3, 4])
const entryBytes = 12
/** Baseline files have some twenty. */
const maxEntries = 1_000
/** Pieces of which it is looked whether they are there: with more of them the file is not worth the reading. */
const maxPieces = 60_000

interface Entry {
  readonly type: number
  readonly count: number
  /** The value itself where it fits into four bytes, else its place. */
  readonly value: Buffer
}

/** The size in the first directory (TIFF 6.0, section 2). It, all that it points to, and strips or tiles must lie within the file. */
export async function tiffSize(bytes: ImageBytes): Promise<PixelSize | null> {
  const directory = await Directory.read(bytes)
  const [width] = (await directory?.values(tag.width)) ?? []
  const [height] = (await directory?.values(tag.height)) ?? []
  if (!directory?.fits || width === undefined || height === undefined) return null
  const isWhole =
    (await piecesFit(directory, bytes.size, [tag.stripOffsets, tag.stripBytes])) ||
    (await piecesFit(directory, bytes.size, [tag.tileOffsets, tag.tileBytes]))
  return isWhole ? { width, height } : null
}

/** Whether there are pieces, and all of them end within the file. */
async function piecesFit(
  directory: Directory,
  size: number,
  [offsetsTag, bytesTag]: readonly [number, number],
): Promise<boolean> {
  const offsets = (await directory.values(offsetsTag)) ?? []
  const lengths = (await directory.values(bytesTag)) ?? []
  if (offsets.length === 0 || offsets.length !== lengths.length) return false
  return offsets.every((offset, at) => offset + (lengths[at] ?? 0) <= size)
}

/** An image file directory: what is told of an image, by tag. */
class Directory {
  readonly #bytes: ImageBytes
  readonly #isBigEndian: boolean
  readonly #entries: ReadonlyMap<number, Entry>

  private constructor(bytes: ImageBytes, isBigEndian: boolean, entries: ReadonlyMap<number, Entry>) {
    this.#bytes = bytes
    this.#isBigEndian = isBigEndian
    this.#entries = entries
  }

  static async read(bytes: ImageBytes): Promise<Directory | null> {
    const { head } = bytes
    if (head.length < 8) return null
    const isBigEndian = head[0] === 0x4d
    const start = number(head, 4, 4, isBigEndian)
    const counted = await bytes.at(start, 2)
    const count = counted.length < 2 ? 0 : number(counted, 0, 2, isBigEndian)
    if (count < 1 || count > maxEntries) return null
    const table = await bytes.at(start + 2, count * entryBytes)
    if (table.length < count * entryBytes) return null
    return new Directory(bytes, isBigEndian, entriesOf(table, isBigEndian))
  }

  /** Whether the values that stand elsewhere end within the file. */
  get fits(): boolean {
    return [...this.#entries.values()].every((entry) => {
      const length = lengthOf(entry)
      return length <= 4 || this.#place(entry) + length <= this.#bytes.size
    })
  }

  /** The numbers under a tag; null where there are none, too many, or not all within the file. */
  async values(name: number): Promise<number[] | null> {
    const entry = this.#entries.get(name)
    if (!entry || !integers.has(entry.type) || entry.count > maxPieces) return null
    const length = lengthOf(entry)
    const bytes = length <= 4 ? entry.value : await this.#bytes.at(this.#place(entry), length)
    if (bytes.length < length) return null
    const width = length / entry.count
    return Array.from({ length: entry.count }, (_, at) => number(bytes, at * width, width, this.#isBigEndian))
  }

  #place({ value }: Entry): number {
    return number(value, 0, 4, this.#isBigEndian)
  }
}

function lengthOf({ type, count }: Entry): number {
  return (typeBytes[type] ?? 0) * count
}

/** Of two entries with one tag the first counts, as in libtiff. */
function entriesOf(table: Buffer, isBigEndian: boolean): ReadonlyMap<number, Entry> {
  const entries = new Map<number, Entry>()
  for (let at = 0; at < table.length; at += entryBytes) {
    const name = number(table, at, 2, isBigEndian)
    if (entries.has(name)) continue
    entries.set(name, {
      type: number(table, at + 2, 2, isBigEndian),
      count: number(table, at + 4, 4, isBigEndian),
      value: table.subarray(at + 8, at + entryBytes),
    })
  }
  return entries
}

function number(bytes: Buffer, at: number, width: number, isBigEndian: boolean): number {
  return isBigEndian ? bytes.readUIntBE(at, width) : bytes.readUIntLE(at, width)
}
