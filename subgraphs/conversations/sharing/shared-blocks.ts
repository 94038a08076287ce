import { type Block, blockText } from '../content/blocks.ts'
import { isRecord } from '../content/is-record.ts'
import { withoutSignedUrls } from './signed-urls.ts'

/** Texts that readers of a share may see. Reasoning is none of them. */
const sharedTexts = new Set(['text', 'input_text', 'output_text', 'refusal', 'tool_result'])

const imageTypes = new Set(['image', 'input_image', 'image_url'])
const mediaId = /\bjan_[0-9A-Za-z]{1,64}\b/
/** Raster images alone: others can hold more than a picture. */
const imageData = /^data:image\/(png|jpeg|gif|webp|avif);base64,(?=[0-9A-Za-z])/
const notBase64 = /[^0-9A-Za-z+/=]/

/**
 * What of an item's content may be shared: an allow-list of types, and of each type's fields. Everything that is not known
 * to be harmless is left out (contract 2.11).
 */
export function sharedBlocks(content: readonly Block[], includeImages: boolean): Block[] {
  return content.flatMap((block) => {
    if (sharedTexts.has(block.type)) return sharedText(block)
    if (block.type === 'code') return sharedCode(block)
    return includeImages && imageTypes.has(block.type) ? sharedImage(block) : []
  })
}

function sharedText(block: Block): Block[] {
  const text = blockText(block)
  return text === null || text === '' ? [] : [{ type: block.type, text: withoutSignedUrls(text) }]
}

function sharedCode({ code, language }: Block): Block[] {
  if (typeof code !== 'string' || code === '') return []
  return [
    {
      type: 'code',
      code: withoutSignedUrls(code),
      ...(typeof language === 'string' ? { language } : {}),
    },
  ]
}

/** An image under one spelling: the id of a media object, or the image itself. Any other URL may be signed, or tell who looks. */
function sharedImage(block: Block): Block[] {
  const image = block.image ?? block.image_url
  const known = isRecord(image) ? image : { url: image }
  const url = [known.url, known.file_id, block.file_id].map(shareableImage).find((found) => found !== null)
  return url == null ? [] : [{ type: 'image', image: { url } }]
}

function shareableImage(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const prefix = imageData.exec(value)?.[0]
  if (prefix !== undefined) return notBase64.test(value.slice(prefix.length)) ? null : value
  // `jan_…` alone, or in a placeholder such as `data:image/png;jan_…`
  return /^(jan_|data:image\/[\w.+-]{1,40};jan_)/.test(value) ? (mediaId.exec(value)?.[0] ?? null) : null
}
