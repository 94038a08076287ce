import { AppError } from '../../../../platform/errors.ts'
import type { JsonObject } from '../provider.ts'
import { drawImage, drawOn, sizeOf } from './drawn-image.ts'

interface Size {
  readonly width: number
  readonly height: number
}

const usual: Size = { width: 1024, height: 1024 }
/** In pixels: it is only to be looked at. */
const longestSide = 2_048
const mostImages = 10

/** The answer to a request for images, after OpenAI's. */
export async function drawnImages(body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  const prompt = promptOf(body.prompt)
  const size = sizeNamed(body.size) ?? usual
  return answerOf(countOf(body.n), size, signal, (note) => drawImage({ prompt, note, ...size }))
}

/** The answer to a request to change images: what was asked for is written over the first. */
export async function drawnEdits(form: FormData, signal: AbortSignal): Promise<JsonObject> {
  const prompt = promptOf(form.get('prompt'))
  const image = form.get('image') ?? form.get('image[]')
  if (!(image instanceof Blob))
    throw new AppError('missing_parameter', 'image is missing.', { param: 'image' })
  const bytes = Buffer.from(await image.arrayBuffer())
  try {
    const size = sizeNamed(form.get('size')) ?? shrunk(await sizeOf(bytes))
    const draw = (note: string) => drawOn(bytes, { prompt, note, ...size })
    return await answerOf(countOf(form.get('n')), size, signal, draw)
  } catch (cause) {
    signal.throwIfAborted()
    // What the platform takes and the drawing library can't read, as a whole or beyond its head.
    const message = `The built-in development provider can’t draw on this ${image.type || 'image'}.`
    throw new AppError('invalid_parameter', message, { param: 'image', cause })
  }
}

/** One after the other: each takes a core. */
async function answerOf(
  count: number,
  { width, height }: Size,
  signal: AbortSignal,
  draw: (note: string) => Promise<Buffer>,
): Promise<JsonObject> {
  const data: JsonObject[] = []
  for (let at = 1; at <= count; at += 1) {
    signal.throwIfAborted()
    const bytes = await draw(
      count === 1 ? 'Jan development image' : `Jan development image ${at} of ${count}`,
    )
    data.push({ b64_json: bytes.toString('base64') })
  }
  const created = Math.floor(Date.now() / 1000)
  return { created, output_format: 'png', size: `${width}x${height}`, data }
}

function promptOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new AppError('missing_parameter', 'prompt is missing.', { param: 'prompt' })
}

function countOf(value: unknown): number {
  const count = Number(value ?? 1)
  return Number.isInteger(count) ? Math.min(Math.max(count, 1), mostImages) : 1
}

/** Null for a size that leaves the choice to us. */
function sizeNamed(value: unknown): Size | null {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(String(value ?? '')) ?? []
  return width && height ? shrunk({ width: Number(width), height: Number(height) }) : null
}

function shrunk({ width, height }: Size): Size {
  const factor = Math.min(1, longestSide / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) }
}
