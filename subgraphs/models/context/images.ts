import type { JsonObject } from '../providers/index.ts'
import { imageLimits } from './limits.ts'
import { isObject, partsOf } from './message-text.ts'

/** What stands in an image's place. */
const leftOut = { type: 'text', text: '[an older image was left out]' }

const imageTypes = new Set<unknown>(['image_url', 'image', 'input_image'])

/** Messages with no more images than contract 2.1 keeps: the oldest go first. The same list where there are no more. */
export function withoutOldestImages(messages: readonly JsonObject[]): readonly JsonObject[] {
  const withTools = withoutOldest(messages, ['tool', 'function'], imageLimits.tool)
  return withoutOldest(withTools, ['user'], imageLimits.user)
}

function withoutOldest(
  messages: readonly JsonObject[],
  roles: readonly unknown[],
  most: number,
): readonly JsonObject[] {
  const imagesIn = (message: JsonObject) => (roles.includes(message.role) ? imageCount(message) : 0)
  let tooMany = messages.reduce((sum, message) => sum + imagesIn(message), -most)
  if (tooMany <= 0) return messages
  return messages.map((message) => {
    if (tooMany <= 0 || imagesIn(message) === 0) return message
    const content = (message.content as readonly unknown[]).map((part) => {
      if (tooMany <= 0 || !isImage(part)) return part
      tooMany -= 1
      return leftOut
    })
    return { ...message, content }
  })
}

function imageCount(message: JsonObject): number {
  return partsOf(message).reduce((count, part) => count + (isImage(part) ? 1 : 0), 0)
}

function isImage(part: unknown): boolean {
  return isObject(part) && imageTypes.has(part.type)
}
