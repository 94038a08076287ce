import type { FormArrival } from '../route.ts'

/** Fields of a form that are no texts (contract 2.7). */
const numbers = new Set([
  'n',
  'strength',
  'steps',
  'seed',
  'cfg_scale',
  'num_inference_steps',
  'output_compression',
  'partial_images',
])
const flags = new Set(['store', 'stream'])

/**
 * The body of a request to change images, as JSON would have brought it: the files are media by then.
 * @throws AppError as `receiveForm`
 */
export async function imageFormBody({
  request,
  context,
  files,
}: FormArrival): Promise<Record<string, unknown>> {
  const { receiveForm } = await import('./receive-form.ts')
  const { bytes: store, maxBytes } = files
  const { fields, media } = await receiveForm({
    request,
    context,
    store,
    maxBytes,
    maxBytesTogether: 3 * maxBytes,
    files: { image: 16, mask: 1 },
  })
  const body: Record<string, unknown> = {}
  for (const [name, text] of fields) body[name] = fieldValue(name, text)
  const [images = [], [mask] = []] = [media.get('image'), media.get('mask')]
  const ids = images.map((one) => ({ id: one.media.id }))
  if (ids.length > 0) body.image = ids.length === 1 ? ids[0] : ids
  if (mask) body.mask = { id: mask.media.id }
  return body
}

/** What is not what it should be stays a text, for the body's schema to refuse. */
function fieldValue(name: string, text: string): unknown {
  if (numbers.has(name) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (flags.has(name) && /^(true|false)$/.test(text)) return text === 'true'
  return text
}
