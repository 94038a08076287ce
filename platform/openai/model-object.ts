import { z } from 'zod'

const fields = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
  model_display_name: z.string(),
  category: z.string(),
  category_order_number: z.int(),
  model_order_number: z.int(),
  provider_id: z.string().optional(),
  provider_vendor: z.string().optional(),
  provider_name: z.string().optional(),
})

/** A model as `/v1/models` shows it (contract 2.5); the provider's fields only with `X-PROVIDER-DATA: true`. */
export const modelObject = fields.meta({
  id: 'Model',
  examples: [
    {
      id: 'jan-v1-4b',
      object: 'model',
      created: 1_767_225_600,
      owned_by: 'jan',
      model_display_name: 'Jan v1 4B',
      category: 'Local vLLM',
      category_order_number: 1,
      model_order_number: 1,
    },
  ],
})

/** A model in a list. */
export type ModelObject = z.output<typeof modelObject>
