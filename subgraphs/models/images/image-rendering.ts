import { imageRendering } from '../../../platform/openai/image-list.ts'
import type { JsonObject } from '../providers/index.ts'

/** How images were made: what OpenAI's answers tell beside them. */
export type ImageRendering = Partial<Record<keyof typeof imageRendering.shape, string>>

const fields = Object.keys(imageRendering.shape) as (keyof typeof imageRendering.shape)[]
/** The names of sizes, formats and qualities are short. */
const longest = 64

/** What a provider says of it: others than OpenAI have values of their own. */
export function renderingOf(answer: JsonObject): ImageRendering {
  const said = fields.flatMap((field) => {
    const value = answer[field]
    return typeof value === 'string' && value.length <= longest ? [[field, value] as const] : []
  })
  return Object.fromEntries(said)
}
