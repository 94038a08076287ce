import { z } from 'zod'
import type { RouteDescription } from '../route.ts'
import type { SchemaCollection } from './schemas.ts'

/** What stands in paths, by the name of the parameter. */
const pathTexts: Readonly<Record<string, readonly [description: string, example: string]>> = {
  id: ['The id of the key.', '0b6f5a2e-6c1d-4b51-9f0e-2f4f6f3f9a10'],
  conversation_id: ['The id of a conversation of yours.', 'conv_4k2m9x7qpz0w1abc'],
  item_id: ['The id of an item, of whichever branch.', 'msg_7d1k0fz3m9q2w5x8c4v6b1n0'],
  project_id: ['The id of a project of yours.', 'proj_h3v8t0r5e2y6u1i9'],
  branch_name: ['The name of a branch; `MAIN` is the first.', 'MAIN'],
  call_id: ['The id of a tool call.', 'call_8f3k2m1q'],
  share_id: ['The id of a share of yours.', 'share_9d2k4m6p8r0t1v3x'],
  slug: ['What the link ends with: 22 of `[0-9A-Za-z]`.', '4kR9mZ2xQ7pLw0sT5vYb1C'],
  media_id: ['The id of a media of yours.', 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z'],
  public_media_id: ['The id of a media of anybody’s.', 'jan_01kb3m5n7p9r1s3t5v7w9x1y3z'],
  memory_id: ['The id of a memory of yours.', 'mem_h3v8t0r5e2y6u1i9'],
  model_id: ['The id of a model; slashes in it may stay as they are.', 'jan-v1-4b'],
  public_id: ['The id of a model; slashes in it may stay as they are.', 'jan-v1-4b'],
  model: ['The id of a model; slashes in it may stay as they are.', 'jan-v1-4b'],
  template_id: ['The id of a prompt template.', 'ptpl_m1n3b5v7c9x2z4l6'],
  key: ['The key of a stored file, with its slashes.', 'images/jan_01k3zj5x9q8w7e6r5t4y3u2i1o.png'],
  template_key: ['The key of a prompt template.', 'code_assistant'],
}

/** `:id` and `*id` become `{id}`. */
export function openApiPath(path: string): string {
  return path.replace(/[:*](\w+)/g, '{$1}')
}

export function pathParameters(path: string): Record<string, unknown>[] {
  return [...path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => {
    const [description, example] = pathTexts[name] ?? []
    return {
      name,
      in: 'path',
      required: true,
      ...(description ? { description, example } : {}),
      schema: { type: 'string' },
    }
  })
}

export function queryParameters(
  { query }: RouteDescription,
  schemas: SchemaCollection,
): Record<string, unknown>[] {
  if (!(query instanceof z.ZodObject)) return []
  return Object.entries(query.shape as Record<string, z.ZodType>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    ...(schema.description ? { description: schema.description } : {}),
    schema: schemas.jsonSchema(schema, 'input'),
  }))
}
