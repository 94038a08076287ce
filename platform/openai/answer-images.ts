import { z } from 'zod'

const image = z.looseObject({
  type: z.string().optional(),
  image_url: z.looseObject({ url: z.string().describe('A link that works for a while.') }),
  id: z.string().optional().describe('The media that it is kept as: `jan_…`'),
})

/** The images that a model answers with, as OpenRouter and others spell them. */
export const answerImages = z.array(image).describe('Images that the model answers with.')
