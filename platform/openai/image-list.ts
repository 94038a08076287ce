import { z } from 'zod'

const madeImage = z.object({
  url: z.string().optional().describe('GET it without a credential, until it expires.'),
  b64_json: z.string().optional().describe('The bytes in base64.'),
  id: z.string().describe('The media that it is kept as: `jan_…`'),
  revised_prompt: z.string().optional().describe('What the provider made of the prompt.'),
})

/** How the images were made, where the provider says so. */
export const imageRendering = z.object({
  background: z.string().optional().describe('`transparent` or `opaque`.'),
  output_format: z.string().optional().describe('`png`, `webp` or `jpeg`.'),
  quality: z.string().optional().describe('`low`, `medium` or `high`.'),
  size: z.string().optional().describe('Width and height in pixels.'),
})

const usage = z.object({
  total_tokens: z.number().int(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  input_tokens_details: z.object({ text_tokens: z.number().int(), image_tokens: z.number().int() }),
})

/** What images come back as (contract 2.7): OpenAI's list, with ids. */
export const imageList = z
  .object({
    created: z.number().int().describe('Unix seconds.'),
    ...imageRendering.shape,
    data: z.array(madeImage),
    usage,
  })
  .meta({
    id: 'ImageList',
    examples: [
      {
        created: 1_767_225_600,
        data: [
          {
            url: 'https://jan.example/v1/files/images/01kb3m5n7p9r1s3t5v7w9x1y3z.png?expires=1767830400&signature=…',
            id: 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z',
          },
        ],
        usage: {
          total_tokens: 12,
          input_tokens: 12,
          output_tokens: 0,
          input_tokens_details: { text_tokens: 12, image_tokens: 0 },
        },
      },
    ],
  })

export type ImageList = z.output<typeof imageList>
