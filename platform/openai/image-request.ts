import { z } from 'zod'
import { isStorable } from '../text.ts'

/** Contract 2.7, and the sizes that OpenAI has added since. */
export const imageSizes = [
  '256x256',
  '512x512',
  '1024x1024',
  '1024x1792',
  '1792x1024',
  '1024x1536',
  '1536x1024',
  'auto',
] as const

const mostPromptCharacters = 32_000
/** A provider may be asked for a model that nobody lists: its name is accounted for as it is. */
const mostModelCharacters = 256
/** No provider makes more in one answer, whatever `IMAGE_MAX_N` says. */
const mostImages = 10

const prompt = z
  .string()
  .min(1, 'must not be empty')
  .max(mostPromptCharacters, `must have at most ${mostPromptCharacters} characters`)
  .describe('What to draw.')
const quality = z
  .enum(['standard', 'hd', 'low', 'medium', 'high', 'auto'])
  .nullish()
  .describe('How much trouble the provider takes; its own default unless given.')
const format = (usual: string) =>
  z
    .enum(['url', 'b64_json'])
    .nullish()
    .describe(
      `A link, or the bytes in base64; \`${usual}\` unless given. Either way the image is kept under its \`id\`.`,
    )

const common = {
  model: z
    .string()
    .min(1, 'must not be empty')
    .max(mostModelCharacters, `must have at most ${mostModelCharacters} characters`)
    .refine(isStorable, 'contains a character that can’t be stored')
    .nullish()
    .describe('`IMAGE_DEFAULT_MODEL` unless given.'),
  n: z.int().min(1).max(mostImages).nullish().describe('How many; 1 unless given.'),
  user: z.string().nullish().describe('Names your user to the provider.'),
  provider_id: z.string().nullish().describe('The provider to ask; the one for such images unless given.'),
  conversation_id: z.string().nullish().describe('The conversation that shall have it.'),
  store: z.boolean().nullish().describe('`false` keeps it out of the conversation that is named.'),
  stream: z.literal(false).nullish().describe('Images come whole.'),
  cfg_scale: z.number().nullish().describe('How closely to follow the prompt.'),
}

/** The body of `POST /v1/images/generations`. Unknown fields go to the provider. */
export const imageGenerationRequest = z
  .looseObject({
    prompt,
    ...common,
    size: z.enum(imageSizes).nullish().describe('`IMAGE_DEFAULT_SIZE` unless given.'),
    quality,
    style: z.enum(['vivid', 'natural']).nullish(),
    response_format: format('url'),
    num_inference_steps: z.int().min(1).nullish(),
  })
  .meta({ id: 'ImageGenerationRequest' })

const source = z.object({
  id: z.string().nullish().describe('A media of yours: `jan_…`'),
  url: z.string().nullish().describe('An http or https URL, or a data URL.'),
  b64_json: z.string().nullish().describe('The bytes in base64.'),
  file_id: z.string().nullish().describe('OpenAI’s word for `id`.'),
  image_url: z.string().nullish().describe('OpenAI’s word for `url`.'),
})
const image = z.union([z.string(), source], {
  error: 'must be an id, a URL, base64, or an object with one of them',
})

/** The body of `POST /v1/images/edits` as JSON. Unknown fields go to the provider. */
export const imageEditRequest = z
  .looseObject({
    prompt,
    ...common,
    image: z
      .union([image, z.array(image).min(1).max(16)], { error: 'must be an image, or 1 to 16 of them' })
      .describe(
        'What to change: `{ id }`, `{ url }` or `{ b64_json }`, or one of them as a text; several are one picture’s models.',
      ),
    mask: image.nullish().describe('An image whose transparent parts tell what may change.'),
    size: z
      .string()
      .regex(/^(original|auto|[1-9]\d{1,3}x[1-9]\d{1,3})$/, 'must be original, auto or as 1024x1024')
      .nullish()
      .describe('`original` unless given.'),
    quality,
    response_format: format('b64_json'),
    strength: z.number().min(0).max(1).nullish(),
    steps: z.int().min(1).nullish(),
    seed: z.int().min(-1).nullish().describe('-1, as without one: a new one each time.'),
    sampler: z.string().nullish(),
    scheduler: z.string().nullish(),
    negative_prompt: z.string().max(mostPromptCharacters).nullish(),
  })
  .meta({ id: 'ImageEditRequest' })

export type ImageGenerationRequest = z.output<typeof imageGenerationRequest>
export type ImageEditRequest = z.output<typeof imageEditRequest>

/** Where an image that is to be changed comes from, as it is written. */
export type WrittenImage = z.output<typeof image>
